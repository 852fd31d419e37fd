"""Broken variants that the fault suite must catch, in the form of tests/broken.py.

    tests/faults/broken_faults.py [WORD ...]

builds and tries them all, or those whose description has one of the words.
"""

import sys
from pathlib import Path

sys.path[:0] = [str(Path(__file__).resolve().parent.parent)]

import check_broken
from broken import LAB1, LAB2, LAB4, Broken

FAULTS = "tests/faults/"

FAULT_GALLERY = [
    Broken(
        "a shortage of descriptors is not paused for: the accept loop spins",
        "M9",
        "common/tcp.c",
        [("tcp_wait(-1, 0, now_ns() + SHORTAGE_PAUSE_NS, true);", "")],
        f"{FAULTS}test_accepting.py::test_a1_accept_without_descriptors_pauses_and_goes_on"
        f"[{LAB1}-EMFILE]",
    ),
    Broken(
        "after a shortage of memory the server never accepts again",
        "M6",
        "common/tcp.c",
        [
            (
                '        say_trouble("cannot accept for now");\n'
                "        tcp_wait(-1, 0, now_ns() + SHORTAGE_PAUSE_NS, true);",
                '        say_trouble("cannot accept for now");\n'
                "        tcp_wait(-1, 0, NEVER, true);",
            )
        ],
        f"{FAULTS}test_accepting.py::test_a2_accept_without_memory_pauses_and_goes_on"
        f"[{LAB1}-ENOMEM]",
    ),
    Broken(
        "the failure of one client in accept ends the server",
        "M6",
        "common/tcp.c",
        [
            (
                "    default:\n        break;\n    }\n}\n\nint tcp_accept",
                "    default:\n        _exit(1);\n    }\n}\n\nint tcp_accept",
            )
        ],
        f"{FAULTS}test_accepting.py::test_a3_the_failure_of_one_client_is_passed_over_at_once"
        f"[{LAB1}]",
    ),
    Broken(
        "an interrupted send is taken for a lost client",
        "M7",
        "common/tcp.c",
        [
            (
                "            if (wait_for_reader(client) == -1)\n                return -1;\n"
                "        } else if (errno != EINTR) {\n            return -1;\n        }\n    }\n"
                "    return 0;\n}\n\n#ifdef __linux__",
                "            if (wait_for_reader(client) == -1)\n                return -1;\n"
                "        } else {\n            return -1;\n        }\n    }\n"
                "    return 0;\n}\n\n#ifdef __linux__",
            )
        ],
        f"{FAULTS}test_accepting.py::test_a4_interrupted_calls_are_made_again[{LAB1}-desk]",
    ),
    Broken(
        "a broken listener is tried again for ever",
        "M9",
        "common/tcp.c",
        [("        stop_after_failure();\n", "")],
        f"{FAULTS}test_accepting.py::test_a5_a_broken_listener_is_told_and_ends_the_server"
        f"[{LAB1}-EBADF]",
    ),
    Broken(
        "a client for whom no thread could be started keeps its place",
        "",
        f"{LAB2}/server.c",
        [
            (
                "        service_refuse(client);\n        count_threads(-1, max_clients);\n",
                "        service_refuse(client);\n",
            )
        ],
        f"{FAULTS}test_accepting.py::test_a6_a_thread_that_cannot_be_started_costs_only_its_client"
        f"[{LAB2}-echo]",
    ),
    Broken(
        "no memory for a member is not noticed",
        "M6",
        "common/services/chat_roster.c",
        [
            (
                "if (self->kept == NULL || !open_bell(self->bell)) {",
                "if (!open_bell(self->bell)) {",
            )
        ],
        f"{FAULTS}test_accepting.py::test_a8_whichever_allocation_fails_only_its_client_notices"
        f"[{LAB1}-chat]",
    ),
    Broken(
        "sockets would be inherited by a child",
        "",
        "common/tcp.c",
        [("        fcntl(client, F_SETFD, FD_CLOEXEC);\n", "")],
        f"{FAULTS}test_accepting.py::test_a15_no_descriptor_would_be_inherited[{LAB1}-echo]",
    ),
    Broken(
        "a full disk is noticed only by write, not by fsync",
        "",
        "common/services/files.c",
        [
            (
                "return upload_sync(upload) == -1 ? http_status_of(errno) : 0;",
                "upload_sync(upload);\n    return 0;",
            )
        ],
        f"{FAULTS}test_uploads.py::test_d2_a_disk_that_fails_is_told_and_the_old_file_stays"
        f"[{LAB1}-fsync-1-ENOSPC]",
    ),
    Broken(
        "an upload that could not be stored leaves its temporary file",
        "",
        "common/services/files_upload.c",
        [
            (
                "        unlinkat(upload->directory, upload->name, 0);\n    close",
                "        (void)0;\n    close",
            )
        ],
        f"{FAULTS}test_uploads.py::test_d2_a_disk_that_fails_is_told_and_the_old_file_stays"
        f"[{LAB1}-write-1-ENOSPC]",
    ),
    Broken(
        "uploads are written to their place, not beside it: killed in between, they are torn",
        "",
        "common/services/files_upload.c",
        [
            (
                "    int result = renameat(directory, upload->name, directory, name);\n",
                "    int result = 0;\n"
                "    int from = openat(directory, upload->name, O_RDONLY);\n"
                "    int to = openat(directory, name, O_WRONLY | O_CREAT | O_TRUNC, MODE);\n"
                "    char some[10];\n"
                "    for (ssize_t size; (size = read(from, some, sizeof some)) > 0;)\n"
                "        (void)!write(to, some, (size_t)size);\n"
                "    close(from);\n    close(to);\n"
                "    unlinkat(directory, upload->name, 0);\n",
            )
        ],
        f"{FAULTS}test_uploads.py::"
        f"test_d6_killed_at_100_random_moments_nothing_acknowledged_is_lost[{LAB1}]",
    ),
    Broken(
        "a descriptor is closed twice",
        "M8",
        "common/services/http_file.c",
        [
            (
                "    place->directory = inner;\n    errno = reason;\n",
                "    place->directory = inner;\n    close(-1);\n    errno = reason;\n",
            )
        ],
        f"{FAULTS}test_paths.py::test_c4_what_may_not_be_read_is_forbidden[{LAB1}]",
    ),
    Broken(
        "a stop does not end the pause of the accept loop",
        "",
        "common/tcp.c",
        [("now_ns() + SHORTAGE_PAUSE_NS, true)", "NEVER, false)")],
        f"{FAULTS}test_life_cycle.py::"
        f"test_f3_a_stop_ends_the_pause_of_an_accept_loop_without_descriptors[{LAB1}]",
    ),
    Broken(
        "limits are measured by the clock of the day",
        "",
        "common/clock.h",
        [
            (
                "    clock_gettime(CLOCK_MONOTONIC, &now);",
                "    clock_gettime(CLOCK_REALTIME, &now);",
            )
        ],
        f"{FAULTS}test_life_cycle.py::test_f9_the_clock_of_the_day_moves_no_limit[{LAB4}-forward]",
    ),
    Broken(
        "a body has no deadline but that of each recv",
        "M10",
        "common/reader.c",
        [
            (
                "        in->deadline += size * in->earned_ns;",
                "        in->deadline = deadline_after(tcp_limits.request_ns);",
            )
        ],
        f"{FAULTS}test_slow_clients.py::test_b6_who_drips_a_body_is_gone_in_time"
        f"[{LAB4}-drip_body]",
    ),
    Broken(
        "trouble that nobody reads is waited for",
        "",
        "common/say.c",
        [
            (
                "    if (poll(&polled, 1, 0) != 1) {",
                "    if (poll(&polled, 1, -1) != 1) {",
            )
        ],
        f"{FAULTS}test_life_cycle.py::test_f5_trouble_that_cannot_be_told_holds_nobody_up"
        f"[{LAB1}-full_pipe]",
    ),
]

if __name__ == "__main__":
    check_broken.GALLERY = FAULT_GALLERY
    sys.exit(check_broken.main())
