"""The numbered bugs: which variant of the gallery each is, what its customers complain about, and
what the mistake is called. Students get none of this; `make handouts` packs what they need.
"""

from dataclasses import dataclass


@dataclass(frozen=True)
class Hunt:
    """One bug to hunt."""

    variant: str  # in tests/gallery
    name: str
    lab: int  # whose server shows it
    symptom: str
    stage: str = (
        ""  # of that lab's grader: judges in the place of the variant's own test
    )


HUNTS = [
    Hunt("fd-by-reference", "fd-by-reference", 2, "When twenty of us come at the same moment, some get another's answer and some get none. One at a time all is well."),
    Hunt("client-not-closed", "fd-leak", 1, "In the morning all is well. After a thousand customers nobody is let in any more, and restarting helps, until noon."),
    Hunt("join-in-accept-loop", "join-or-detach", 2, "They told us that everybody has a clerk of his own now. I still wait until the one before me has left."),
    Hunt("sigpipe", "sigpipe", 2, "I switched my telephone off in the middle of a long answer. They say that the whole office was gone at that moment, without a word."),
    Hunt("no-reuseaddr", "addr-in-use", 1, "When the office is closed and opened again at once, it does not open: the address is said to be taken. A minute later it works."),
    Hunt("bind-unchecked", "unchecked-bind", 1, "I started a second office at the same address by mistake. It said that it is open, and nobody ever found it."),
    Hunt("pipelined-lost", "one-recv-one-message", 1, "I sent my three questions in one letter. I got one answer."),
    Hunt("recv-is-a-request", "one-recv-one-message", 1, "I write slowly. They answered a question that I had not finished."),
    Hunt("wait-with-if", "if-or-spin", 3, "It happens once a week: a clerk goes home in the middle of the day, and nobody has sent him.", "alarm"),
    Hunt("spin-at-end-of-input", "if-or-spin", 2, "Since that customer said good-bye, the fan of the machine runs at full speed. Nobody else is there."),
    Hunt("spin-on-accept", "if-or-spin", 1, "The office is empty, and the electricity meter runs as if it were full."),
    Hunt("no-thread-limit", "no-limit", 2, "I asked for at most five clerks. On a busy day I counted eighty, and then the machine fell over."),
    Hunt("threads-not-detached", "join-or-detach", 2, "The office has three customers at a time, never more. Its memory grows with each that leaves."),
    Hunt("exit-on-client-error", "die-on-client-error", 2, "A customer hung up, and everybody else was thrown out, too."),
    Hunt("exit-on-thread-error", "die-on-client-error", 2, "No clerk could be hired for one customer. The office closed for all."),
    Hunt("signal-for-broadcast", "lost-wakeup", 3, "Closing time: one clerk goes home, and the others sit there all night, and so does the porter.", "stop"),
    Hunt("full-although-idle", "not-full-yet", 3, "Four clerks at their desks, nothing to do. I was told that it is too busy."),
    Hunt("line-limit-off-by-one", "off-by-one", 1, "The form says 4096 characters. Mine had 4096, or one more, and they decided the other way."),
    Hunt("deadline-per-recv", "starved-pool", 4, "A man spells his question, a letter every few seconds, since yesterday. They have a time limit for that, they say."),
    Hunt("no-idle-limit", "starved-pool", 4, "Sixteen people sit at the sixteen desks and say nothing. Nobody asks them to leave."),
    Hunt("slow-reader-cut", "starved-pool", 4, "I read slowly, but I read all the time. They stop in the middle and say that I was not listening."),
    Hunt("refusal-reset", "reset-not-end", 3, "If it is busy they could say so. All that I get is: connection reset."),
    Hunt("listener-stays-open", "stop-too-late", 1, "They are closing, and still let people in, who then stand in a dark hall."),
    Hunt("stop-waits-for-idle", "stop-too-late", 2, "The office cannot close, because one customer sits there, with nothing to ask."),
    Hunt("second-signal-ignored", "stop-too-late", 2, "I said stop, then I said it again and meant it. Nothing."),
    Hunt("handler-exits", "stop-too-early", 2, "They close on the minute. My answer broke off in the middle of a word."),
    Hunt("backlog-ignored", "wrong-setting", 4, "I ordered a lobby for one. There is always room for many more, and they wait for hours."),
    Hunt("number-like-atoi", "wrong-setting", 1, "I asked for port 90oo by mistake. It opened at port 90 and did not mind."),
    Hunt("chat-name-race", "check-then-act", 2, "There are two of us called anna in the room. The room says that names are taken once."),
    Hunt("chat-send-blocks", "lock-held-waiting", 2, "One of us went for a coffee, and the whole room stood still until he was back."),
    Hunt("path-decoded-late", "checked-too-early", 1, "With a strange address I could read a file that lies outside the public folder."),
    Hunt("symlinks-followed", "checked-too-early", 1, "Somebody put a link into the folder, and now the whole disk is public."),
    Hunt("upload-half-is-kept", "half-a-result", 1, "My upload broke off in the middle. Now half a file stands there under its name, and the old one is gone."),
    Hunt("upload-temporary-stays", "half-a-result", 1, "Each upload that breaks off leaves a strange file behind. The disk is nearly full of them."),
]  # fmt: skip
