"""The command line is a contract: what it takes, and one clear line on what it cannot take."""

import contextlib
import os
import re
import resource
import signal
import socket
import subprocess
from pathlib import Path

import pytest

from tests.helpers.clients import Client
from tests.helpers.kernel import kernel_sockets
from tests.helpers.labs import find_labs
from tests.helpers.setting import GUARD_S, as_another_user, linux_only, until

USAGE, SYSTEM = 2, 1

# The whole table of flags and defaults; a lab has those that its model has a use for.
COMMON = {"host": "127.0.0.1", "port": "9000", "trace": "..."}
POOL = {"threads": "16", "queue": "64", "when-full": "wait"}
FLAGS = {
    "lab1": COMMON,
    "lab2": COMMON | {"max-clients": "1000"},
    "lab3": COMMON | POOL,
    "lab4": COMMON
    | POOL
    | {
        "backlog": "128",
        "idle-timeout": "30s",
        "request-timeout": "10s",
        "write-timeout": "10s",
        "min-rate": "1k",
        "min-patience": "250ms",
    },
}

NOT_NUMBERS = ["-1", "12x", "", "65536", "99999999999", "1e3"]
NOT_NUMBERS += ["0x10", " 1", "+1", "1 ", "9" * 30]
NOT_DURATIONS = ["0", "5", "5m", "-5s", "0s", "0ms", "1.5s", "s", "", "86401s"]
NOT_DURATIONS += ["99999999999s", "1e3s", " 5s", "5 s", "5S", "9" * 30 + "s"]


def assert_refused(lab, arguments, status, *words, **options):
    """It says in one line what is wrong, naming it, and has not begun to serve."""
    command = f"{lab} {' '.join(map(repr, arguments))}"
    done = lab.run(*arguments, **options)
    assert (
        done.returncode == status
    ), f"{command}: exit status {done.returncode}: {done.stderr}"
    assert not done.stdout, f"{command}: began to serve: {done.stdout}"
    assert done.stderr.count("\n") == 1, f"{command}: not one line: {done.stderr!r}"
    for word in words:
        assert (
            word in done.stderr
        ), f"{command}: {word!r} is not named in {done.stderr!r}"


# --- what it takes -------------------------------------------------------------------------


def test_help_lists_every_flag_with_its_default(lab):
    done = lab.run("--help")
    assert (done.returncode, done.stderr) == (0, "")
    assert lab.flags() == FLAGS.get(lab.name.partition("-")[0], lab.flags())
    for service in ("echo", "desk"):
        assert re.search(rf"^  {service}\b", done.stdout, re.MULTILINE)


def test_it_announces_where_it_listens_and_what_it_serves(lab, service):
    with lab.serve(service.name) as server:
        start = f"{lab.name}: listening on 127.0.0.1:{server.port} ({service.name}, "
        assert server.announcement.startswith(start)


def test_echo_is_served_unless_another_service_is_named(lab):
    with lab.serve() as server, lab.serve("--") as other:
        for default in (server, other):
            assert "(echo, " in default.announcement
            assert default.greeted().ask(b"sleep 1") == b"sleep 1\n"


def test_a_value_may_follow_its_flag_as_a_word_of_its_own(lab):
    with lab.serve("desk", "--host", "127.0.0.1") as server:
        assert "(desk, " in server.announcement


@pytest.mark.parametrize(
    "host, shown, reached",
    [
        ("::1", "[::1]", ["::1"]),
        ("[::1]", "[::1]", ["::1"]),
        ("localhost", "localhost", ["127.0.0.1", "::1"]),
        ("127.0.0.1", "127.0.0.1", ["127.0.0.1"]),
        ("0.0.0.0", "0.0.0.0", ["127.0.0.1"]),
        ("::", "[::]", ["127.0.0.1", "::1"]),
        ("*", "[::]", ["127.0.0.1", "::1"]),
    ],
)
def test_it_listens_where_it_is_told_to(lab, host, shown, reached):
    if "::1" in reached and not has_ipv6():
        pytest.skip("no IPv6 here")
    with lab.serve("echo", f"--host={host}") as server:
        assert f"listening on {shown}:{server.port} (" in server.announcement
        is_open = host in ("*", "::", "0.0.0.0")
        assert ("open to all networks" in server.announcement) == is_open
        for address in reached:
            with socket.create_connection((address, server.port), GUARD_S) as client:
                assert client.recv(100).startswith(b"Hello, client ")


@linux_only
def test_localhost_is_for_this_machine_only(lab):
    with lab.serve("echo", "--host=localhost") as server:
        listening = ["ss", "-Hltn", f"sport = :{server.port}"]
        said = subprocess.run(listening, capture_output=True, text=True).stdout
        assert "%lo:" in said and len(said.splitlines()) == 1, said


def told_at_start(lab, limit: int, *arguments: str) -> list[str]:
    """What it says on standard error before it listens, if it may have 64 of something."""
    other = as_another_user() if limit == resource.RLIMIT_NPROC else []
    server = subprocess.Popen(
        [*other, str(lab.program), "--port=0", *arguments],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        preexec_fn=lambda: resource.setrlimit(limit, (64, 64)),
    )
    server.stdout.readline()
    server.terminate()
    return server.communicate(timeout=GUARD_S)[1].splitlines()


def test_it_says_before_the_first_client_that_descriptors_are_too_few(concurrent):
    many = concurrent.known(queue=60, threads=10, max_clients=70)
    few = concurrent.known(queue=40, threads=10, max_clients=50)
    said = told_at_start(concurrent, resource.RLIMIT_NOFILE, *many)
    assert len(said) == 1, said
    assert "needs 80 descriptors, but may have 64: " in said[0]
    assert "(more: ulimit -n 80; " in said[0]
    assert told_at_start(concurrent, resource.RLIMIT_NOFILE, *few) == []
    said = told_at_start(concurrent, resource.RLIMIT_NOFILE, *few, "chat")
    assert "needs 160 descriptors" in str(said), "each member of the chat needs three"


@linux_only
def test_it_says_before_the_first_client_that_threads_are_too_few(concurrent):
    flags = concurrent.known(threads=70, max_clients=70)
    said = str(told_at_start(concurrent, resource.RLIMIT_NPROC, *flags))
    assert "=70" in said and "needs 70 threads, but may have 64: " in said
    assert "(more: ulimit -u 70; " in said


def has_ipv6() -> bool:
    try:
        with socket.socket(socket.AF_INET6) as any_port:
            any_port.bind(("::1", 0))
    except OSError:
        return False
    return True


def test_it_announces_the_limits_that_it_was_given(lab):
    limits = {"threads": "3", "queue": "5", "max_clients": "7", "backlog": "9"}
    with lab.serve("echo", *lab.known(**limits)) as server:
        for name in limits.keys() & {name.replace("-", "_") for name in lab.flags()}:
            assert re.search(rf"\b{limits[name]}\b", server.announcement)


# --- what it cannot take -------------------------------------------------------------------


def test_a_bad_number_is_named(lab):
    for flag, default in lab.flags().items():
        if default.isdigit():
            for value in NOT_NUMBERS:
                assert_refused(
                    lab, [f"--{flag}={value}"], USAGE, f"--{flag}={value}:", "number"
                )
                assert_refused(lab, [f"--{flag}", value], USAGE, f"--{flag}={value}:")


def test_a_bad_duration_is_named(timed):
    for flag, default in timed.flags().items():
        if default.endswith("s"):
            for value in NOT_DURATIONS:
                assert_refused(
                    timed, [f"--{flag}={value}"], USAGE, f"--{flag}={value}:", "500ms"
                )


def test_none_is_not_enough_of_what_must_be_there(concurrent):
    for argument in concurrent.places(0):
        assert_refused(concurrent, [argument], USAGE, argument)


def test_a_bad_choice_is_named(pool):
    for value in ("", "drop", "wai", "waits", "wait|refuse", "|"):
        argument = f"--when-full={value}"
        assert_refused(pool, [argument], USAGE, argument, "wait|refuse")


def test_a_lab_has_no_flag_that_it_does_not_use(lab):
    all_flags = {name for other in find_labs() for name in other.flags()}
    for name in sorted(all_flags - lab.flags().keys()):
        assert_refused(lab, [f"--{name}=1"], USAGE, f"--{name}", "unknown flag")


@pytest.mark.parametrize(
    "arguments, named",
    [
        (["--colour=red"], "--colour=red"),
        (["--por=1"], "--por=1"),
        (["--ports=1"], "--ports=1"),
        (["--=1"], "--=1"),
        (["-p", "1"], "-p"),
        (["--port=1", "--port=1"], "--port=1"),
        (["--port=1", "--port", "2"], "--port=2"),
        (["--port"], "--port"),
        (["desk", "--trace"], "--trace"),
        (["--trace="], "--trace="),
        (["--host="], "--host="),
        (["telnet"], "telnet"),
        ([""], ""),
        (["Echo"], "Echo"),
        (["echo", "extra"], "extra"),
        (["desk", "one", "two"], "one"),
        (["-"], "-: "),
        (["--", "--help"], "--help"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_a_bad_command_line_is_one_line_and_exit_status_2(lab, arguments, named):
    assert_refused(lab, arguments, USAGE, named)


def test_the_error_about_a_service_lists_those_there_are(lab):
    assert_refused(lab, ["telnet"], USAGE, "telnet", "echo", "desk")


# --- what the system does not give ---------------------------------------------------------


@pytest.mark.mistake("M2")
def test_a_port_in_use_is_named(lab):
    with socket.create_server(("127.0.0.1", 0)) as other:
        port = other.getsockname()[1]
        assert_refused(lab, [f"--port={port}"], SYSTEM, f"port {port}", "in use")


@pytest.mark.mistake("M2")
def test_a_port_that_is_not_permitted_is_named(lab):
    path = "/proc/sys/net/ipv4/ip_unprivileged_port_start"
    if not os.path.exists(path) or int(open(path).read()) <= 80:
        pytest.skip("everybody may listen on port 80 here")
    other_user = {"user": 65534} if os.geteuid() == 0 else {}
    assert_refused(lab, ["--port=80"], SYSTEM, "port 80", "ermission", **other_user)


def test_a_host_that_cannot_be_resolved_is_named(lab):
    host = "x" * 64 + ".invalid"  # longer than a name may be: no network is asked
    assert_refused(lab, [f"--host={host}", "--port=0"], SYSTEM, host)


def test_a_host_that_is_not_here_is_named(lab):
    documentation_only = "192.0.2.1"  # RFC 5737
    arguments = [f"--host={documentation_only}", "--port=0"]
    assert_refused(lab, arguments, SYSTEM, documentation_only)


def test_a_trace_that_cannot_be_written_is_named(lab, tmp_path):
    for path in (tmp_path / "no such folder" / "trace.csv", tmp_path):
        assert_refused(lab, [f"--trace={path}", "--port=0"], SYSTEM, str(path))


@linux_only
def test_a_full_disk_behind_standard_output_is_told(lab):
    with open("/dev/full", "w") as full:
        assert_refused(lab, ["--port=0"], SYSTEM, "No space left", stdout=full)


def fill_the_pipe(server):
    """Write into its standard output until nobody can any more."""
    with open(f"/proc/{server.process.pid}/fd/1", "wb", buffering=0) as pipe:
        os.set_blocking(pipe.fileno(), False)
        while pipe.write(b"x" * 65536):
            pass
        while pipe.write(b"x"):
            pass


def break_the_pipe(server):
    server.process.stdout.close()


@linux_only
@pytest.mark.parametrize("spoil", [fill_the_pipe, break_the_pipe])
def test_nobody_who_reads_its_output_does_not_hold_it_up(lab, spoil):
    with lab.serve("echo") as server:
        spoil(server)
        assert server.greeted().ask(b"hi") == b"hi\n"
        server.send_signal(signal.SIGTERM)
        assert server.exit_status("SIGTERM") == 0


def listening_port(pid):
    """The port on which a process listens, or None."""
    sockets = set()
    for link in Path(f"/proc/{pid}/fd").iterdir():
        with contextlib.suppress(OSError):  # closed meanwhile
            sockets.add(os.readlink(link))
    for row in kernel_sockets():
        if row.state == "LISTEN" and f"socket:[{row.inode}]" in sockets:
            return row.local_port
    return None


@linux_only
def test_it_serves_without_standard_input_output_and_error(lab):
    """Their numbers must not go to sockets: what is meant for people would reach a client."""
    with subprocess.Popen(
        [lab.program, "--port=0"], preexec_fn=lambda: os.closerange(0, 3)
    ) as process:
        try:
            until(lambda: listening_port(process.pid), "it listens")
            client = Client(("127.0.0.1", listening_port(process.pid)))
            client.greeting()
            assert client.ask(b"hi") == b"hi\n"
            process.terminate()
            client.assert_ended("after SIGTERM")
            client.close()
            assert process.wait(GUARD_S) == 0
        finally:
            process.kill()


@linux_only
def test_a_full_disk_behind_the_trace_is_told(lab):
    assert_refused(
        lab, ["--trace=/dev/full", "--port=0"], SYSTEM, "/dev/full", "No space left"
    )
