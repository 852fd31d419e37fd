"""throughput: how many requests a second, and for how much CPU, beside nginx and Apache."""

import math
import random
from functools import partial
from pathlib import Path

from bench.experiments.experiment import Conclusion, Experiment, Options
from bench.experiments.throughput_chart import make_chart
from bench.experiments.throughput_scores import (
    PAIRS,
    CORES,
    CROWD,
    CROWD_USERS,
    LARGE,
    LOOP,
    MARK,
    SCENES,
    Scene,
    Server,
    TWICE,
    USERS,
    crowd_finding,
    findings_of,
    make_scores,
)
from bench.measure import rig
from bench.measure.labs import Lab
from bench.measure.rig import Held
from bench.measure.runs import Generator, Measured, Run, START_S
from bench.measure.yardsticks import Yardstick, find_yardsticks
from bench.tell.units import seconds

START_YARDSTICK_S = 0.25
LASTS_S, QUICK_LASTS_S, APART_S = 2.0, 0.4, 0.4
WARM_UP_S = 0.05
SHORT_LAB = "backlog"  # the flag of the lab that is asked where time is short

LEFT_OUT = "QUICK left out the warm-up and all pairs but one."
SHORTENED = (
    "By itself (EXPERIMENT=throughput) it takes its time: all labs with threads, Apache,"
    " a download, and a crowd of users."
)


def plan(labs: list[Lab], options: Options) -> list[Run]:
    """Prices first; then each repeat asks all servers in all ways, in a new order."""
    shuffle = random.Random(f"throughput {options.seed}").shuffle
    servers, scenes = choose(labs, options)
    if LARGE in scenes:
        rig.add_file(rig.site(), rig.LARGE)
    plan_for = partial(plan_run, options=options)
    runs = [plan_for(each, scene, 0) for scene in scenes for each in servers]
    repeats = options.repeats or (1 if options.is_quick else PAIRS)
    for repeat in range(1, repeats + 1):
        for scene in scenes:
            shuffle(servers)
            runs += [
                plan_for(each, scene, repeat)
                for each in servers
                if repeat == 1 or each.name != TWICE
            ]
    if options.is_alone and not options.is_quick:
        crowds = [lab for lab in labs if lab.clerks(USERS) == math.inf]
        runs += [plan_crowd(lab) for lab in crowds]
    return runs


def choose(labs: list[Lab], options: Options) -> tuple[list[Server], list[Scene]]:
    """Who is asked, and in which ways: all of them only where time is not short."""
    yardsticks = find_yardsticks(len(labs) + len(options.models) + 1)
    if options.is_alone:
        able = [lab for lab in labs if lab.clerks(USERS) > 1]
        able += [model for model in options.models if model.name == LOOP]
        return able + yardsticks, list(SCENES)
    able = [lab for lab in labs if SHORT_LAB in lab.flags]
    mark = [each for each in yardsticks if each.name == MARK]
    return able[:1] + mark, [scene for scene in SCENES if scene.is_short]


def plan_run(server: Server, scene: Scene, repeat: int, options: Options) -> Run:
    """One server asked in one way; repeat 0 is for its prices."""
    lasts_s = QUICK_LASTS_S if options.is_quick else LASTS_S
    lasts_s = lasts_s if repeat else APART_S
    flags = {
        "requests": scene.requests,
        "say": scene.path,
        "duration": f"{lasts_s * 1000:.0f}ms",
    }
    warm_up = flags | {"clients": scene.users, "duration": f"{WARM_UP_S * 1000:.0f}ms"}
    is_yardstick = isinstance(server, Yardstick)
    return Run(
        experiment="throughput",
        group=f"throughput, repeat {repeat}" if repeat else "throughput, prices",
        scene=scene.name if repeat else scene.apart,
        lab=server,
        generators=rig.sharing(scene.users, flags),
        flags={"threads": USERS},
        service=("http", str(rig.site())),
        repeat=repeat,
        expected_s=lasts_s + (START_YARDSTICK_S if is_yardstick else START_S) + 0.25,
        is_counted=True,
        counts_others=True,
        warm_up=None if options.is_quick else Generator("closed", warm_up, "warm-up"),
    )


def plan_crowd(lab: Lab) -> Run:
    """All come, are answered, and stay until the last has been."""
    flags = {
        "clients": CROWD_USERS,
        "rate": rig.ARRIVALS,
        "say": "/",
        "duration": "60s",
    }
    return Run(
        experiment="throughput",
        group="throughput, crowd",
        scene=CROWD,
        lab=lab,
        generators=(Generator("hold", flags),),
        service=("http", str(rig.site())),
        repeat=1,
        is_counted=True,
        expected_s=START_S + rig.REST_S + 1.3 * CROWD_USERS / rig.ARRIVALS,
    )


# ---- The experiment ----


def conclude(made: list[Measured], options: Options, folder: Path) -> Conclusion:
    """One chart, and how the labs compare."""
    findings = [
        finding for scene in SCENES for finding in findings_of(make_scores(made, scene))
    ]
    findings += [crowd_finding(each) for each in made if isinstance(each, Held)]
    return Conclusion(findings, notes(made, options), make_chart(made, folder))


def notes(made: list[Measured], options: Options) -> list[str]:
    """How the numbers came about."""
    lines = [
        f"The file of GET / has 1 KiB; {USERS} users (one, for the download) ask again"
        " as soon as they have their answer;"
        f" pools have {USERS} workers. CPU time is the server's own, all processes"
        " together, while clients came. Ratios are medians of pairs: runs of the same"
        f" repeat. {rig.GENERATORS} generators, which share the users, share the {CORES} cores"
        " with the server, for which all pay alike."
    ]
    present = {each.run.lab.name for each in made}
    for name in (MARK, TWICE):
        if name in present:
            continue
        lines.append(f"{name} is not installed: no yardstick of this name.")
    if present & {MARK, TWICE}:
        lines.append(
            "nginx (2 workers) and Apache (worker MPM, 3 processes of 25 threads from"
            " the start) are set up as Debian ships them, with access logs off."
        )
    if not options.is_quick:
        lines.append(f"All ask for {seconds(WARM_UP_S)} before it counts.")
    if options.repeats:
        return lines
    if options.is_quick:
        lines.append(LEFT_OUT)
    elif not options.is_alone:
        lines.append(SHORTENED)
    return lines


EXPERIMENT = Experiment(
    "throughput",
    "how many requests a second does a server answer, and for how much CPU?",
    plan,
    conclude,
)
