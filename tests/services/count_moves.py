#!/usr/bin/env python3
"""Count how often one GET goes from file to file in lab 3, from accept to close.

A reader who follows a request through the code turns a page at each change of
file. Needs uftrace. Prints the walk, one line for each stay in a file, and the
count.  usage: count_moves.py [--build=FOLDER]
"""

import argparse
import http.client
import os
import re
import signal
import subprocess
import sys
import tempfile
from pathlib import Path

ROOT = Path(__file__).resolve().parents[2]
SERVER = "lab3-thread-pool/server"
MAX_CHANGES = 60
SIZE = 1024

# A call as `uftrace replay` prints it: [ thread] | name() { /* file:line */
CALL = re.compile(r"\[\s*(\d+)\] \|\s+(\w+)\(.*?/\* (\S+):\d+ \*/")
RETURN = re.compile(r"\[\s*(\d+)\] \|\s+\} /\* (\w+) \*/")


def build(folder):
    """Build the server with a note of each call, nothing inlined."""
    flags = "-O0 -g -finstrument-functions"  # as .ci/compilers builds, too
    command = ["make", "-s", f"B={folder}", f"CFLAGS={flags}", f"{folder}/{SERVER}"]
    subprocess.run(command, cwd=ROOT, check=True, stdout=subprocess.DEVNULL)
    return ROOT / folder / SERVER


def record(server, data):
    """Serve one GET of a file and record all calls."""
    with tempfile.TemporaryDirectory() as site:
        (Path(site) / "file.txt").write_bytes(b"x" * SIZE)
        command = ["uftrace", "record", "--no-libcall", "--srcline", "-d", str(data)]
        with subprocess.Popen(
            [*command, str(server), "--port=0", "http", site],
            stdout=subprocess.PIPE,
            text=True,
            start_new_session=True,
        ) as process:
            try:
                port = re.search(r":(\d+) ", process.stdout.readline()).group(1)
                client = http.client.HTTPConnection("127.0.0.1", int(port), timeout=20)
                client.request("GET", "/file.txt", headers={"Connection": "close"})
                body = client.getresponse().read()
                assert len(body) == SIZE, f"{len(body)} bytes came, not {SIZE}"
            finally:
                os.killpg(process.pid, signal.SIGTERM)


def read_calls(data):
    """All calls and returns, thread by thread, in order."""
    command = ["uftrace", "replay", "--srcline", "--no-pager", "--no-event"]
    command += ["-f", "tid", "-d", str(data)]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    for line in done.stdout.splitlines():
        call, back = CALL.match(line.strip()), RETURN.match(line.strip())
        if call:
            thread, name, file = call.groups()
            yield thread, "call", name, os.path.relpath(file, ROOT)
            if "{" not in line:
                yield thread, "return", name, None
        elif back:
            yield back.group(1), "return", back.group(2), None


def between(events, begin, end, needed):
    """The calls from the return of begin to the call of end, if one is needed."""
    calls, is_on = [], False
    for kind, name, file in events:
        if (kind, name) == ("return", begin):
            calls, is_on = [], True
        elif is_on and (kind, name) == ("call", end):
            is_on = False
            if any(called == needed for called, _ in calls):
                return calls
        elif is_on and kind == "call":
            calls.append((name, file))
    # The recording may end before the thread comes back for the next client.
    return calls if any(called == needed for called, _ in calls) else []


def walk(events):
    """The calls of one request: first on the thread that accepts, then the worker."""
    threads = {}
    for thread, *event in events:
        threads.setdefault(thread, []).append(event)
    accepting = [
        between(events, "tcp_accept", "tcp_accept", "queue_push")
        for events in threads.values()
    ]
    working = [
        between(events, "queue_pop", "queue_pop", "service_talk")
        for events in threads.values()
    ]
    return max(accepting, key=len) + max(working, key=len)


def stays(calls):
    """Neighbours in the same file as one stay: [(file, [names])]."""
    result = []
    for name, file in calls:
        if not result or result[-1][0] != file:
            result.append((file, []))
        result[-1][1].append(name)
    return result


def count_moves(folder):
    """Returns the stays of one request."""
    with tempfile.TemporaryDirectory() as data:
        record(build(folder), Path(data) / "calls")
        return stays(walk(read_calls(Path(data) / "calls")))


def main():
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--build", default="build/moves", help="where to build")
    found = count_moves(parser.parse_args().build)
    for file, names in found:
        print(f"{file:40} {', '.join(names)}")
    calls = sum(len(names) for _, names in found)
    files = len({file for file, _ in found})
    changes = len(found) - 1
    print(f"{calls} calls, {files} files, {changes} changes of file")
    return 0 if found and changes <= MAX_CHANGES else 1


if __name__ == "__main__":
    sys.exit(main())
