"""The gallery of broken variants: for each kind of check, one mistake that it must catch.

Each is a replacement or two in the source, small enough to be overlooked in a review. They are
also a list of what people get wrong; M1 to M10 are the ten mistakes of conftest.py.
"""

from dataclasses import dataclass

CONTRACT = "tests/labs/test_contract.py::test_"
CHARACTER = "tests/labs/test_character.py::test_"
COMMAND = "tests/labs/test_command_line.py::test_"
CLIENTS = "tests/labs/test_clients.py::test_"
UNIT = "tests/units/test_units.py::test_unit"
CHAT = "tests/services/test_chat.py::test_"
HTTP = "tests/services/test_http.py::test_"
FILES = "tests/services/test_files.py::test_"

LAB1, LAB2 = "lab1-sequential", "lab2-thread-per-client"
LAB3, LAB4 = "lab3-thread-pool", "lab4-timeouts-backlog"


@dataclass(frozen=True)
class Broken:
    """What somebody did wrong, where, and the test that must notice."""

    what: str
    mistake: str
    file: str
    edits: list[tuple[str, str]]
    test: str


GALLERY = [
    # --- listening and the end ---
    Broken(
        "SO_REUSEADDR is not set",
        "M1",
        "common/tcp.c",
        [("    set_option(listener, SOL_SOCKET, SO_REUSEADDR);\n", "")],
        f"{CONTRACT}a_restart_binds_although_the_server_closed_first[{LAB1}-echo]",
    ),
    Broken(
        "the result of bind is ignored: the kernel picks a port of its own",
        "M2",
        "common/tcp.c",
        [
            (
                "    if (bind(listener, address->ai_addr, address->ai_addrlen) == -1 ||\n",
                "    (void)!bind(listener, address->ai_addr, address->ai_addrlen);\n    if (",
            )
        ],
        f"{COMMAND}a_port_in_use_is_named[{LAB1}]",
    ),
    Broken(
        "the backlog that was asked for is not the one that is set",
        "",
        f"{LAB4}/server.c",
        [("tcp_listen(host, port, backlog)", "tcp_listen(host, port, 128)")],
        f"{CHARACTER}the_kernel_holds_one_client_more_than_the_backlog[{LAB4}-1]",
    ),
    Broken(
        "SIGINT is forgotten",
        "",
        "common/stop.c",
        [("{SIGINT, SIGTERM, SIGHUP}", "{SIGTERM, SIGHUP}")],
        f"{CONTRACT}a_stop_lets_idle_clients_go[{LAB1}-echo-SIGINT]",
    ),
    Broken(
        "the handler exits, and with it goes the request in service",
        "",
        "common/stop.c",
        [("    request_stop();\n    int count", "    _exit(0);\n    int count")],
        f"{CONTRACT}a_stop_delivers_a_long_reply_and_says_for_whom_it_waits[{LAB2}]",
    ),
    Broken(
        "a stop leaves the listener open: newcomers are let in and never served",
        "",
        "common/stop.c",
        [("    dup2(stop_pipe[0], open_listener);\n", "")],
        f"{CONTRACT}a_stop_delivers_a_long_reply_and_says_for_whom_it_waits[{LAB1}]",
    ),
    Broken(
        "a stop waits for idle clients",
        "",
        "common/stop.c",
        [("    visits_hang_up();\n", "")],
        f"{CONTRACT}a_stop_lets_idle_clients_go[{LAB2}-desk-SIGTERM]",
    ),
    Broken(
        "a second signal is ignored like the first",
        "",
        "common/stop.c",
        [("signal(stop_signals[i], SIG_DFL);", "signal(stop_signals[i], SIG_IGN);")],
        f"{CONTRACT}a_second_signal_ends_the_server_at_once[{LAB2}]",
    ),
    Broken(
        "the exit status tells nothing",
        "",
        "common/stop.c",
        [("? EXIT_FAILURE : EXIT_SUCCESS", "? EXIT_SUCCESS : EXIT_FAILURE")],
        f"{CONTRACT}a_stop_without_clients_ends_at_once[{LAB1}-echo]",
    ),
    # --- threads ---
    Broken(
        "the thread gets the address of the variable, not the number in it",
        "M3",
        f"{LAB2}/server.c",
        [
            ("serve_client((int)(intptr_t)client);", "serve_client(*(int *)client);"),
            ("run_thread, (void *)(intptr_t)client)", "run_thread, &client)"),
        ],
        f"{CONTRACT}of_20_clients_at_one_instant_each_gets_its_own_token[{LAB2}-echo]",
    ),
    Broken(
        "the accept loop joins each thread: one client at a time, with more work",
        "M4",
        f"{LAB2}/server.c",
        [
            ("PTHREAD_CREATE_DETACHED", "PTHREAD_CREATE_JOINABLE"),
            (
                "    if (errno != 0) {\n",
                "    if (errno == 0) {\n        pthread_join(thread, NULL);\n    } else {\n",
            ),
        ],
        f"{CHARACTER}a_thread_per_client_serves_as_many_at_once_as_its_limit[{LAB2}-2]",
    ),
    Broken(
        "threads are neither joined nor detached: each keeps its stack",
        "M4",
        f"{LAB2}/server.c",
        [("PTHREAD_CREATE_DETACHED", "PTHREAD_CREATE_JOINABLE")],
        f"{CONTRACT}the_stacks_of_200_threads_are_given_back[{LAB2}]",
    ),
    Broken(
        "there is no limit on threads",
        "",
        f"{LAB2}/server.c",
        [
            (
                "    while (threads > limit)\n",
                "    while (threads > limit && limit == 0)\n",
            )
        ],
        f"{CHARACTER}a_thread_per_client_serves_as_many_at_once_as_its_limit[{LAB2}-2]",
    ),
    Broken(
        "a thread that cannot be started ends the server",
        "M6",
        f"{LAB2}/server.c",
        [('        say_trouble("cannot start a thread");\n', "        _exit(1);\n")],
        f"{CHARACTER}a_thread_that_cannot_be_started_costs_only_its_client[{LAB2}]",
    ),
    # --- the queue ---
    Broken(
        "if instead of while around the wait",
        "M9",
        f"{LAB3}/queue.c",
        [
            (
                "    while (is_empty(queue) && !queue->is_closed) {\n",
                "    if (is_empty(queue) && !queue->is_closed) {\n",
            )
        ],
        f"{UNIT}[queue-a_false_alarm_sends_nobody_home]",
    ),
    Broken(
        "who is woken does not wake the next: the line waits for that one",
        "",
        f"{LAB3}/queue.c",
        [
            (
                "    unlock_and_wake(queue);\n    return client;",
                "    pthread_mutex_unlock(&queue->lock);\n    return client;",
            )
        ],
        f"{UNIT}[queue-who_is_woken_wakes_the_next]",
    ),
    Broken(
        "only one worker is woken at the end",
        "M9",
        f"{LAB3}/queue.c",
        [
            (
                "pthread_cond_broadcast(&queue->not_empty)",
                "pthread_cond_signal(&queue->not_empty)",
            )
        ],
        f"{UNIT}[queue-close_sends_all_workers_home]",
    ),
    Broken(
        "a full queue refuses although workers are free",
        "",
        f"{LAB3}/queue.c",
        [("queue->capacity + queue->idle;", "queue->capacity;")],
        f"{CHARACTER}nobody_is_refused_while_a_worker_is_free[{LAB3}]",
    ),
    Broken(
        "a refused client is closed at once: it reads a reset instead of the reason",
        "",
        "common/tcp.c",
        [
            (
                "    tcp_last_words(client, words, 0);\n    if (refused_count",
                "    send(client, words, strlen(words), MSG_DONTWAIT);\n    close(client);\n"
                "    return;\n    if (refused_count",
            )
        ],
        f"{CHARACTER}a_refusal_is_never_a_reset[{LAB3}]",
    ),
    Broken(
        "a refused client has no row in the trace",
        "",
        "common/visit.c",
        [
            (
                "    if (trace_file != NULL)\n        write_row",
                "    if (trace_file != NULL && outcome != REFUSED)\n        write_row",
            )
        ],
        f"{CHARACTER}a_full_pool_tells_newcomers_that_it_is_busy[{LAB3}]",
    ),
    # --- bytes ---
    Broken(
        "the length of what came is asked of strlen: a NUL ends it",
        "M7",
        "common/services/echo.c",
        [
            ("#include <stddef.h>\n", "#include <stddef.h>\n#include <string.h>\n"),
            (
                "tcp_write(client, line, (size_t)length)",
                "tcp_write(client, line, strlen(line))",
            ),
        ],
        f"{CONTRACT}echo_returns_every_byte_as_it_was[{LAB1}]",
    ),
    Broken(
        "nobody greets",
        "",
        "common/services/lines.c",
        [("tcp_write(client, greeting, strlen(greeting))", "client == -1 ? -1 : 0")],
        f"{CONTRACT}every_client_is_greeted_by_its_number[{LAB1}-echo]",
    ),
    Broken(
        "what one recv brought is taken for a request",
        "M7",
        "common/reader.c",
        [("lf != NULL ? 0 : reader_fill(in)", "0")],
        f"{CONTRACT}a_request_may_come_one_byte_at_a_time[{LAB1}-desk]",
    ),
    Broken(
        "what came behind the first request is thrown away",
        "M7",
        "common/reader.c",
        [("            in->start += length;\n", "            in->start = in->end;\n")],
        f"{CONTRACT}many_requests_may_come_in_one_segment[{LAB1}-echo]",
    ),
    Broken(
        "a send is thought to take everything",
        "M7",
        "common/tcp.c",
        [("            size -= (size_t)sent;\n", "            size = 0;\n")],
        f"{UNIT}[tcp-what_a_send_did_not_take_is_sent_again]",
    ),
    Broken(
        "the longest line is one byte too long",
        "",
        "common/reader.c",
        [
            (
                "if (length_of_words(begin, length) > longest)",
                "if (length_of_words(begin, length) >= longest)",
            )
        ],
        f"{CONTRACT}a_line_of_4096_bytes_passes[{LAB1}-echo-LF]",
    ),
    Broken(
        "the client of a line that was too long is closed without waiting",
        "",
        "common/services/lines.c",
        [
            (
                "                       LINES_LINGER_NS);\n",
                "                       0);\n",
            )
        ],
        f"{CONTRACT}a_line_of_10_megabytes_is_told_so_and_closed[{LAB1}-echo]",
    ),
    # --- clients who leave ---
    Broken(
        "SIGPIPE is not ignored",
        "M5",
        "common/stop.c",
        [("    signal(SIGPIPE, SIG_IGN);", "    signal(SIGPIPE, SIG_DFL);")],
        f"{CONTRACT}a_reset_in_the_middle_of_a_reply_ends_nothing_else[{LAB2}-half-closed]",
    ),
    Broken(
        "the failure of one client ends the server",
        "M6",
        "common/services/lines.c",
        [
            ("#include <errno.h>\n", "#include <err.h>\n#include <errno.h>\n"),
            (
                "    default:\n        return LOST;\n",
                '    default:\n        err(1, "recv");\n',
            ),
        ],
        f"{CONTRACT}nobody_notices_a_client_that_leaves[{LAB2}-echo-reset_after_the_greeting]",
    ),
    Broken(
        "the socket of a client who has gone is not closed",
        "M8",
        f"{LAB1}/server.c",
        [("    close(client);\n", "    shutdown(client, SHUT_RDWR);\n")],
        f"{CONTRACT}200_short_clients_leave_nothing_behind[{LAB1}-echo-close]",
    ),
    Broken(
        "accept without a descriptor left ends the server",
        "M8",
        "common/tcp.c",
        [('        say_trouble("cannot accept for now");\n', "        _exit(1);\n")],
        f"{CONTRACT}a_server_out_of_descriptors_waits_and_goes_on[{LAB2}]",
    ),
    # --- waiting ---
    Broken(
        "the end of input is read again and again",
        "M9",
        "common/reader.c",
        [
            (
                "        if (size >= 0) {\n",
                "        if (size == 0)\n            continue;\n        if (size > 0) {\n",
            )
        ],
        f"{CONTRACT}a_server_with_nothing_to_do_uses_no_cpu[{LAB2}-echo]",
    ),
    Broken(
        "accept is asked again and again instead of waited for",
        "M9",
        "common/tcp.c",
        [("            wait_for_client(listener);\n", "            continue;\n")],
        f"{CONTRACT}a_server_with_nothing_to_do_uses_no_cpu[{LAB1}-echo]",
    ),
    Broken(
        "the deadline is for each recv, so that every byte moves it",
        "M10",
        "common/reader.c",
        [
            (
                "receive(in, in->deadline, false)",
                "receive(in, deadline_after(tcp_limits.request_ns), false)",
            )
        ],
        f"{CHARACTER}a_dribbling_client_is_cut_at_the_deadline[{LAB4}-echo]",
    ),
    Broken(
        "no limit on how long a worker waits for a request",
        "M10",
        f"{LAB4}/server.c",
        [
            (
                "    service_choose(argc, argv, flags);\n",
                "    service_choose(argc, argv, flags);\n    tcp_limits.idle_ns = 0;\n",
            )
        ],
        f"{CHARACTER}a_silent_client_is_sent_away_and_the_next_is_served[{LAB4}-echo]",
    ),
    Broken(
        "a reader is judged by room in the buffer: an honest slow one is cut",
        "M10",
        "common/tcp.c",
        [("if (still_waiting < waiting)", "if (false)")],
        f"{CHARACTER}an_honest_slow_reader_is_not_cut[{LAB4}]",
    ),
    # --- chat ---
    Broken(
        "the room waits, with its lock held, until one member has room for a line",
        "",
        "common/services/chat/roster.c",
        [("to->kept, to->kept_length, MSG_DONTWAIT)", "to->kept, to->kept_length, 0)")],
        f"{CHAT}one_who_does_not_read_holds_up_nobody_and_is_dropped[{LAB2}]",
    ),
    Broken(
        "one who has fallen behind stays, and lines are lost on it in silence",
        "",
        "common/services/chat/roster.c",
        [("        to->failure = ENOBUFS;\n        ring(to);\n", "")],
        f"{CHAT}one_who_does_not_read_holds_up_nobody_and_is_dropped[{LAB2}]",
    ),
    Broken(
        "nobody wakes the thread that has to send what was kept",
        "",
        "common/services/chat/roster.c",
        [("        ring(to); /* its thread", "        (void)0; /* its thread")],
        f"{CHAT}what_was_kept_is_sent_when_its_member_reads_again[{LAB2}]",
    ),
    Broken(
        "looking for a name and taking it are two steps",
        "",
        "common/services/chat/roster.c",
        [
            (
                "    if (is_free) {\n",
                "    pthread_mutex_unlock(&lock);\n    tcp_wait(-1, 0, now_ns() + NS_PER_MS, false);\n"
                "    pthread_mutex_lock(&lock);\n    if (is_free) {\n",
            )
        ],
        f"{CHAT}of_many_who_want_a_name_at_one_moment_one_gets_it[{LAB2}]",
    ),
    Broken(
        "who leaves is taken out only from the front of the list",
        "",
        "common/services/chat/roster.c",
        [
            ("    while (*place != self)\n", "    if (*place != self)\n"),
            (
                "        place = &(*place)->next;\n    *place = self->next;\n",
                "        return;\n    *place = self->next;\n",
            ),
        ],
        f"{CHAT}the_others_hear_who_comes_and_who_leaves[{LAB2}-quit]",
    ),
    Broken(
        "a stop waits for a member who does not read",
        "",
        "common/services/chat/roster.c",
        [("self->client, self->bell[0], true)", "self->client, self->bell[0], false)")],
        f"{CHAT}a_stop_does_not_wait_for_one_who_does_not_read[{LAB1}]",
    ),
    Broken(
        "control characters are those of ASCII; terminals know 32 more",
        "",
        "common/services/chat/text.c",
        [("(code >= 0x7F && code <= 0x9F)", "code == 0x7F")],
        f"{CHAT}control_characters_and_broken_utf_8_reach_nobody[{LAB1}-C1]",
    ),
    Broken(
        "a character may be written with more bytes than it needs",
        "",
        "common/services/chat/text.c",
        [
            (
                "return code >= smallest[length]",
                "return smallest[length] < LAST_CHARACTER",
            )
        ],
        f"{CHAT}control_characters_and_broken_utf_8_reach_nobody[{LAB1}-overlong]",
    ),
    # --- http and files ---
    Broken(
        "a path is split at its slashes, then decoded, and nobody looks for new ones",
        "",
        "common/services/http/path.c",
        [("""strpbrk(name, "/\\\\") != NULL""", """strchr(name, '\\\\') != NULL""")],
        f"{HTTP}nothing_outside_the_folder_is_served[{LAB1}]",
    ),
    Broken(
        "symbolic links are followed, also out of the folder",
        "",
        "common/services/http/file.c",
        [
            (
                "O_RDONLY | O_NOFOLLOW | O_NONBLOCK | O_NOCTTY",
                "O_RDONLY | O_NONBLOCK | O_NOCTTY",
            )
        ],
        f"{HTTP}nothing_outside_the_folder_is_served[{LAB1}]",
    ),
    Broken(
        "a client who never stops sending is listened to for ever",
        "",
        "common/tcp.c",
        [
            (
                "while (discard_input(client) && now_ns() < deadline)\n",
                "while (discard_input(client))\n",
            ),
            (
                "        if (tcp_wait(client, POLLIN, deadline, false) != READY)\n",
                "        if (tcp_wait(client, POLLIN, NEVER, false) != READY)\n",
            ),
        ],
        f"{HTTP}who_never_stops_sending_is_cut_off[{LAB1}]",
    ),
    Broken(
        "what a client goes on sending is read away before anybody looks at the time",
        "",
        "common/tcp.c",
        [("i < BINS_AT_ONCE && size > 0", "size > 0")],
        f"{UNIT}[tcp-a_flood_is_not_read_to_its_end]",
    ),
    Broken(
        "the temporary file of an upload that was cut off stays",
        "",
        "common/services/files/upload.c",
        [
            (
                "    if (*upload->name != '\\0')\n        unlinkat(upload->directory, upload->name, 0);\n",
                "",
            )
        ],
        f"{FILES}an_upload_that_is_cut_off_leaves_nothing[{LAB1}-/new-half_close]",
    ),
    Broken(
        "an upload gets its name although half of it is missing",
        "",
        "common/services/files/files.c",
        [
            (
                "return error == ETIMEDOUT ? 408 : error == EBADMSG ? 400 : -1;",
                "return error == ETIMEDOUT ? 408 : error == EBADMSG ? 0 : -1;",
            )
        ],
        f"{FILES}an_upload_that_is_cut_off_leaves_nothing[{LAB1}-/old-close]",
    ),
    # --- the command line ---
    Broken(
        "what follows the digits is not looked at, as with atoi",
        "",
        "common/flags.c",
        [("end == NULL || *end != '\\0' || value", "end == NULL || value")],
        f"{COMMAND}a_bad_number_is_named[{LAB1}]",
    ),
    Broken(
        "nobody minds a flag that is given twice",
        "",
        "common/flags.c",
        [("        was_given[flag - flags] = true;\n", "")],
        f"{UNIT}[flags-a_flag_given_twice_is_named]",
    ),
    # --- the clients ---
    Broken(
        "the client does not tell the server that it has said all",
        "",
        f"{LAB1}/client.c",
        [("has_said_end = shutdown(server, SHUT_WR) == 0;", "has_said_end = true;")],
        f"{CLIENTS}the_client_works_in_a_pipe[echo]",
    ),
    Broken(
        "the stress test does not look at the answer",
        "",
        f"{LAB2}/stress.c",
        [("    return ask(&in, token);\n", "    ask(&in, token);\n    return NULL;\n")],
        f"{CLIENTS}the_crowd_notices_a_bad_server[another's-token]",
    ),
]
