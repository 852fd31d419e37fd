"""Broken variants that the fault suite must catch, in the form of tests/gallery/broken.py.

    tests/gallery/broken_faults.py [WORD ...]

builds and tries them all, or those whose description has one of the words.
"""

import sys
from pathlib import Path


from tests.gallery import check as check_broken
from tests.gallery.broken import LAB1, LAB2, LAB3, LAB4, Broken

FAULTS = "tests/faults/"
HTTP = "tests/services/test_http.py::test_"

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
                "    default:\n        break;\n    }\n}\n\nstatic void wait_for_client",
                "    default:\n        _exit(1);\n    }\n}\n\nstatic void wait_for_client",
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
        "a client for whom there is no memory is closed at once: it reads a reset",
        "",
        "common/services/http/http.c",
        [("HTTP_BUSY, LINGER_NS);", "HTTP_BUSY, 0);")],
        f"{FAULTS}test_accepting.py::test_a8_who_asks_after_the_refusal_still_reads_it"
        f"[{LAB1}-http]",
    ),
    Broken(
        "no memory for a member is not noticed",
        "M6",
        "common/services/chat/roster.c",
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
        "a client who reset before it was greeted is counted as served",
        "",
        "common/services/echo.c",
        [
            (
                "    if (lines_greet(client, number) == -1)\n        return LOST;\n",
                "    lines_greet(client, number);\n",
            )
        ],
        f"{FAULTS}test_accepting.py::test_a9_a_reset_before_accept_costs_nobody_anything"
        f"[{LAB1}-echo]",
    ),
    Broken(
        "a little memory is forgotten with every client",
        "M8",
        f"{LAB1}/server.c",
        [
            (
                "static void serve_client(int client)\n{\n",
                "void *note;\n\n"
                "static void serve_client(int client)\n{\n    note = malloc(64);\n",
            ),
            ("#include <unistd.h>\n", "#include <stdlib.h>\n#include <unistd.h>\n"),
        ],
        f"{FAULTS}test_accepting.py::test_a13_100000_clients_in_turn_leave_nothing_behind"
        f"[{LAB1}]",
    ),
    Broken(
        "the socket of a client who reset is not closed",
        "M8",
        f"{LAB1}/server.c",
        [
            (
                "    close(client);\n",
                '    if (send(client, "", 0, 0) != -1)\n        close(client);\n',
            )
        ],
        f"{FAULTS}test_accepting.py::test_a14_10000_resets_at_random_points_leave_nothing_behind"
        f"[{LAB1}]",
    ),
    Broken(
        "sockets would be inherited by a child",
        "",
        "common/tcp.c",
        [("            fcntl(client, F_SETFD, FD_CLOEXEC);\n", "")],
        f"{FAULTS}test_accepting.py::test_a15_no_descriptor_would_be_inherited[{LAB1}-echo]",
    ),
    Broken(
        "what was read of a file at once is taken for all of it",
        "M7",
        "common/services/http/reply.c",
        [
            (
                "        else if (count == 0 || errno != EINTR)\n",
                "        if (done < room)\n",
            )
        ],
        f"{FAULTS}test_streams.py::test_b4_a_file_in_pieces_arrives_whole[{LAB1}-pread-7]",
    ),
    Broken(
        "a length and chunks: the length is believed, and hides a request",
        "",
        "common/services/http/request.c",
        [
            (
                "    if (length.at != NULL && coding.at != NULL)\n        return 400;\n",
                "    if (length.at != NULL)\n        coding.at = NULL;\n",
            )
        ],
        f"{FAULTS}test_streams.py::"
        f"test_b15_what_could_hide_a_request_is_refused_and_ends_the_connection[{LAB1}-files]",
    ),
    Broken(
        "a peer that vanished is never asked for",
        "",
        "common/tcp.c",
        [("    set_option(listener, SOL_SOCKET, SO_KEEPALIVE);\n", "")],
        f"{FAULTS}test_streams.py::"
        f"test_b20_the_kernel_asks_now_and_then_whether_the_peer_is_there[{LAB1}]",
    ),
    Broken(
        "a file is opened as if it could not be a FIFO: a worker waits for a writer",
        "",
        "common/services/http/file.c",
        [("O_RDONLY | O_NOFOLLOW | O_NONBLOCK |", "O_RDONLY | O_NOFOLLOW |")],
        f"{HTTP}only_files_and_directories_are_served[{LAB1}]",
    ),
    Broken(
        "a full disk is noticed only by write, not by fsync",
        "",
        "common/services/files/files.c",
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
        "common/services/files/upload.c",
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
        "common/services/files/upload.c",
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
        "common/services/http/file.c",
        [
            (
                "    place->directory = inner;\n    errno = reason;\n",
                "    place->directory = inner;\n    close(-1);\n    errno = reason;\n",
            )
        ],
        f"{FAULTS}test_paths.py::test_c4_what_may_not_be_read_is_forbidden[{LAB1}]",
    ),
    Broken(
        "a name that rm would take for an option is stored",
        "",
        "common/services/files/files.c",
        [("    if (*place->name == '-')\n        return 403;", "    ")],
        f"{FAULTS}test_uploads.py::test_d5_names_that_harm_are_refused[{LAB1}]",
    ),
    Broken(
        "C1 controls reach the terminals of others",
        "",
        "common/services/chat/text.c",
        [("(code >= 0x7F && code <= 0x9F)", "code == 0x7F")],
        f"{FAULTS}test_e_chat.py::test_e3_bytes_that_drive_a_terminal_reach_nobody[{LAB2}]",
    ),
    Broken(
        "a trace that becomes too large kills the server: SIGXFSZ",
        "",
        "common/stop.c",
        [("    signal(SIGXFSZ, SIG_IGN);", "    ")],
        f"{FAULTS}test_life_cycle.py::"
        f"test_f5_a_trace_that_becomes_too_large_is_told_and_the_server_goes_on[{LAB1}-echo]",
    ),
    Broken(
        "a stop is a flag and no more: a wait that has begun misses it",
        "M9",
        "common/stop.c",
        [
            (
                '    ssize_t written = write(stop_pipe[1], "", 1);\n',
                "    ssize_t written = 0;\n",
            )
        ],
        f"{FAULTS}test_leaks.py::test_f3_l1_500_starts_that_are_stopped_at_once_end_in_order"
        f"[{LAB1}]",
    ),
    Broken(
        "the queue is not given back at the end",
        "M8",
        f"{LAB3}/server.c",
        [("    queue_free(&waiting);\n", "    waiting.clients = NULL;\n")],
        f"{FAULTS}test_leaks.py::test_l2_valgrind_finds_nothing_lost[{LAB3}-echo]",
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
