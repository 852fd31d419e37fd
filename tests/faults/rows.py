"""The list of what can go wrong. Every row is a test whose name begins with its number, as in
test_a1_...; or it says which test elsewhere has it, or why it does not apply."""

import ast
import re
from dataclasses import dataclass

from tests.helpers.setting import ROOT

NAME = re.compile(r"test_((?:[a-z]\d+_)+)")

CONTRACT = "tests/labs/test_contract.py::test_"
CHARACTER = "tests/labs/test_character.py::test_"
COMMAND = "tests/labs/test_command_line.py::test_"
CLIENTS = "tests/labs/test_clients.py::test_"
HTTP = "tests/services/test_http.py::test_"
FILES = "tests/services/test_files.py::test_"
CHAT = "tests/services/test_chat.py::test_"

NO_LIMITS = "labs 1 to 3 have no limits, and what that means is S2"


@dataclass(frozen=True)
class Row:
    """What must hold; also_in are tests outside this folder that have it, or more of it; why_not
    says why it is not tried on some lab, or on none."""

    claim: str
    also_in: tuple[str, ...] = ()
    why_not: str = ""


ROWS = {
    # --- accepting and resources ---
    "A1": Row(
        "accept without a descriptor left: a pause, then it goes on by itself",
        (f"{CONTRACT}a_server_out_of_descriptors_waits_and_goes_on",),
    ),
    "A2": Row("accept without memory: the same"),
    "A3": Row("accept fails for one client: the next is accepted at once"),
    "A4": Row("an interrupted call is made again; close is not"),
    "A5": Row("the listening socket is broken: said once, an orderly end, status 1"),
    "A6": Row(
        "a thread cannot be started for a client: that one is told, nothing else happens",
        (f"{CHARACTER}a_thread_that_cannot_be_started_costs_only_its_client",),
        "the others start no thread for a client",
    ),
    "A7": Row(
        "a worker cannot be started: one line, status 1, nothing half-started",
        why_not="the others start no threads before the first client",
    ),
    "A8": Row("no memory: that client is told or closed, the others unaffected"),
    "A9": Row("a reset before it is accepted costs nobody anything"),
    "A10": Row(
        "the kernel's queue is full: newcomers try again, and all are served",
        (
            f"{CHARACTER}the_kernel_holds_one_client_more_than_the_backlog",
            f"{CHARACTER}a_backlog_that_the_kernel_caps_is_announced",
        ),
        "the others have no --backlog and ask for all that the kernel grants",
    ),
    "A11": Row(
        "more clients than places: they wait, or are told so; never while a worker is free",
        (
            f"{CHARACTER}a_full_pool_lets_newcomers_wait_in_the_order_they_came",
            f"{CHARACTER}a_full_pool_tells_newcomers_that_it_is_busy",
            f"{CHARACTER}with_many_refused_at_once_each_is_told",
            f"{CHARACTER}nobody_is_refused_while_a_worker_is_free",
            f"{CHARACTER}at_the_limit_on_threads_the_next_client_waits",
            f"{CHARACTER}the_second_client_of_a_sequential_server_waits",
        ),
    ),
    "A12": Row(
        "10,000 idle clients are held, at 24 KiB each at most, and others are served",
        why_not="the others serve no more than they have threads; the rest wait, see A11",
    ),
    "A13": Row("100,000 clients in turn leave nothing behind"),
    "A14": Row("10,000 clients who reset at random points leave nothing behind"),
    "A15": Row("no descriptor would be inherited by a child"),
    # --- streams ---
    "B1": Row(
        "a client leaves in the middle of a reply: that ends that connection only",
        (f"{CONTRACT}a_reset_in_the_middle_of_a_reply_ends_nothing_else",),
    ),
    "B2": Row(
        "who half-closes after the request gets the whole reply",
        (
            f"{CONTRACT}a_client_that_half_closes_gets_its_whole_answer",
            f"{HTTP}who_half_closes_gets_the_whole_answer",
        ),
    ),
    "B3": Row(
        "an early reply is read to its end, although the client goes on sending",
        (
            f"{HTTP}an_error_is_read_although_the_client_goes_on_sending",
            f"{FILES}an_upload_over_the_limit_is_refused",
            f"{CHARACTER}a_refusal_is_never_a_reset",
            f"{CONTRACT}a_line_of_10_megabytes_is_told_so_and_closed",
        ),
    ),
    "B4": Row("whatever is transferred in pieces arrives whole"),
    "B5": Row(
        "a slow header is cut at the deadline, whatever it drips",
        why_not=NO_LIMITS,
    ),
    "B6": Row(
        "a slow body is cut when it falls behind the least rate",
        why_not=NO_LIMITS,
    ),
    "B7": Row(
        "who stands still while being written to is cut at the write limit",
        why_not=NO_LIMITS,
    ),
    "B8": Row(
        "a silent client is sent home at the idle limit",
        why_not=NO_LIMITS,
    ),
    "B9": Row(
        "an idle connection that was kept is closed at the idle limit; busy ones stay",
        why_not=NO_LIMITS,
    ),
    "B10": Row("an honest slow client is served whole"),
    "B11": Row(
        "one byte at a time, but promptly: the same answer",
        (
            f"{CONTRACT}a_request_may_come_one_byte_at_a_time",
            f"{HTTP}a_request_may_come_one_byte_at_a_time",
            f"{FILES}an_upload_may_come_one_byte_at_a_time",
            f"{CHAT}lines_may_come_one_byte_at_a_time_and_many_in_one_segment",
        ),
    ),
    "B12": Row(
        "a line, header or number of fields without end is told so, and memory does not grow",
        (
            f"{CONTRACT}a_line_of_4097_bytes_is_told_so_and_closed",
            f"{HTTP}what_is_malformed_gets_its_status_and_the_connection_is_closed",
        ),
    ),
    "B13": Row(
        "NUL, control and 8-bit bytes: echoed exactly, refused by http, cleaned by chat",
        (
            f"{CONTRACT}echo_returns_every_byte_as_it_was",
            f"{HTTP}what_is_malformed_gets_its_status_and_the_connection_is_closed",
            f"{CHAT}whatever_bytes_are_said_text_is_heard",
        ),
    ),
    "B14": Row(
        "bare CR, folded lines, a space before the colon: 400",
        (
            f"{HTTP}what_is_malformed_gets_its_status_and_the_connection_is_closed",
            f"{HTTP}lines_may_end_in_lf_alone",
        ),
    ),
    "B15": Row(
        "what could hide a second request is refused, and the connection closed"
    ),
    "B16": Row(
        "no host, two hosts, a bad host: 400",
        (f"{HTTP}what_is_malformed_gets_its_status_and_the_connection_is_closed",),
    ),
    "B17": Row(
        "pipelined requests are answered in order; after the last nothing is",
        (
            f"{HTTP}pipelined_requests_are_answered_in_order",
            f"{HTTP}what_follows_the_last_request_is_ignored",
            f"{FILES}uploads_can_be_pipelined",
        ),
    ),
    "B18": Row(
        "unknown method 501, not allowed 405 with Allow, HTTP/9.9 505",
        (
            f"{HTTP}what_is_understood_does_not_close_the_connection",
            f"{HTTP}what_is_malformed_gets_its_status_and_the_connection_is_closed",
        ),
    ),
    "B19": Row(
        "HEAD, 304 and 204 have no body",
        (
            f"{HTTP}head_is_get_without_a_body",
            f"{HTTP}who_has_the_file_already_is_told_so",
            f"{HTTP}options_lists_the_methods",
        ),
    ),
    "B20": Row("a peer that vanishes without a word is noticed"),
    # --- paths and files ---
    "C1": Row(
        "no way leads out of the folder, however it is written",
        (
            f"{HTTP}nothing_outside_the_folder_is_served",
            f"{FILES}what_cannot_be_uploaded_is_said_so_and_changes_nothing",
        ),
    ),
    "C2": Row(
        "what can be no name is a bad request",
        (f"{HTTP}what_can_be_no_name_is_a_bad_request",),
    ),
    "C3": Row(
        "no symbolic link is followed",
        (
            f"{HTTP}nothing_outside_the_folder_is_served",
            f"{FILES}what_cannot_be_uploaded_is_said_so_and_changes_nothing",
        ),
    ),
    "C4": Row(
        "FIFO, device, socket, forbidden file: 403 or 404 at once",
        (
            f"{HTTP}only_files_and_directories_are_served",
            f"{HTTP}a_device_is_not_served",
        ),
    ),
    "C5": Row(
        "a file that shrinks, grows or vanishes while sent: short, as promised, or whole",
        (
            f"{HTTP}a_file_that_shrinks_ends_its_reply_short",
            f"{HTTP}a_file_that_grows_ends_where_it_was_said_to",
        ),
    ),
    "C6": Row(
        "a file that is replaced while sent is the old or the new one, never a mix",
        (f"{HTTP}a_file_that_is_replaced_is_served_as_it_was",),
    ),
    "C7": Row(
        "empty files, files around 2 and 4 GiB, ranges at their edges: exact",
        (f"{HTTP}ranges", f"{HTTP}files_of_more_than_4_gib"),
    ),
    # --- uploads ---
    "D1": Row(
        "an upload that is cut off leaves the old file and nothing else",
        (
            f"{FILES}an_upload_that_is_cut_off_leaves_nothing",
            f"{FILES}chunks_that_are_cut_off_leave_nothing",
        ),
    ),
    "D2": Row(
        "a full or broken disk is told; the old file stays, nothing else is left",
        (
            f"{FILES}a_full_disk_is_said_so_and_the_old_file_stays",
            f"{FILES}a_file_that_may_not_be_so_large_is_refused",
        ),
    ),
    "D3": Row(
        "two uploads of one name: one of them, whole",
        (
            f"{FILES}two_uploads_of_one_name_do_not_mix",
            f"{FILES}of_many_who_must_not_overwrite_one_wins",
        ),
        "lab 1 takes one upload after the other",
    ),
    "D4": Row(
        "longer or shorter than declared, or over the limit: nothing is stored",
        (
            f"{FILES}an_upload_over_the_limit_is_refused",
            f"{FILES}bad_chunks_are_refused_and_nothing_is_stored",
            f"{FILES}an_upload_that_is_cut_off_leaves_nothing",
        ),
    ),
    "D5": Row(
        "names that harm are refused",
        (f"{FILES}what_cannot_be_uploaded_is_said_so_and_changes_nothing",),
    ),
    "D6": Row(
        "killed at any moment: what was acknowledged is there whole, what was not leaves no trace",
        (f"{FILES}what_a_killed_server_leaves_is_swept_by_the_next",),
    ),
    "D7": Row(
        "resuming an upload",
        why_not="uploads cannot be resumed: a part of a file is refused with 400 (D5)",
    ),
    # --- chat ---
    "E1": Row(
        "one who does not read holds up nobody, costs little, and is dropped with a notice",
        (
            f"{CHAT}one_who_does_not_read_holds_up_nobody_and_is_dropped",
            f"{CHAT}one_who_is_dropped_is_told_if_it_reads_after_all",
        ),
        "in lab 1 nobody is in the room but the one who talks",
    ),
    "E2": Row(
        "coming and going loses and doubles no line of those who stay",
        (
            f"{CHAT}coming_and_going_loses_no_line_of_those_who_stay",
            f"{CHAT}all_hear_every_line_once_and_in_one_order",
        ),
    ),
    "E3": Row(
        "a line too long, without an end, or with control bytes harms nobody",
        (
            f"{CHAT}a_line_of_4096_bytes_is_said_and_a_longer_one_told_so",
            f"{CHAT}control_characters_and_broken_utf_8_reach_nobody",
        ),
    ),
    "E4": Row(
        "a name twice, an empty name: refused; a flood slows down nobody else",
        (
            f"{CHAT}a_name_belongs_to_one_whatever_its_case_until_it_leaves",
            f"{CHAT}what_cannot_be_done_is_told_and_changes_nothing",
        ),
    ),
    # --- life cycle, operators, clients ---
    "F1": Row(
        "a stop refuses newcomers, lets the idle go, finishes what is in flight, and is in time",
        (
            f"{CONTRACT}a_stop_lets_idle_clients_go",
            f"{CONTRACT}a_stop_delivers_a_long_reply_and_says_for_whom_it_waits",
            f"{FILES}a_stop_finishes_an_upload",
        ),
    ),
    "F2": Row(
        "a second signal ends the server at once",
        (f"{CONTRACT}a_second_signal_ends_the_server_at_once",),
    ),
    "F3": Row(
        "a signal at any moment: never a hang",
        (f"{CONTRACT}a_stop_under_load_cuts_no_answer_in_two",),
    ),
    "F4": Row(
        "SIGHUP stops as SIGTERM does", (f"{CONTRACT}a_stop_lets_idle_clients_go",)
    ),
    "F5": Row(
        "SIGPIPE, a closed or full standard output or error, a full disk: it keeps serving",
        (
            f"{COMMAND}nobody_who_reads_its_output_does_not_hold_it_up",
            f"{COMMAND}it_serves_without_standard_input_output_and_error",
            f"{COMMAND}a_full_disk_behind_the_trace_is_told",
        ),
    ),
    "F6": Row(
        "port in use, not permitted, not here; no such folder: one line, nothing half-started",
        (
            f"{COMMAND}a_port_in_use_is_named",
            f"{COMMAND}a_port_that_is_not_permitted_is_named",
            f"{COMMAND}a_host_that_is_not_here_is_named",
            f"{COMMAND}a_trace_that_cannot_be_written_is_named",
            f"{HTTP}a_folder_that_cannot_be_served_is_said_so",
        ),
    ),
    "F7": Row(
        "a bad command line: one line that names it, status 2",
        (
            f"{COMMAND}a_bad_number_is_named",
            f"{COMMAND}a_bad_duration_is_named",
            f"{COMMAND}a_bad_command_line_is_one_line_and_exit_status_2",
            f"{CLIENTS}clients_say_what_they_cannot_use",
        ),
    ),
    "F8": Row(
        "a restart binds at once",
        (f"{CONTRACT}a_restart_binds_although_the_server_closed_first",),
    ),
    "F9": Row("the clock of the day jumps by a day: no limit fires, none is lost"),
    "F10": Row(
        "stopped and continued: limits that have passed fire once, and it serves on"
    ),
    "F11": Row(
        "clients of a server that is gone, silent, busy, wrong: a clear line and a status",
        (
            f"{CLIENTS}the_client_says_that_the_server_closed",
            f"{CLIENTS}the_client_says_that_the_connection_was_reset",
            f"{CLIENTS}the_crowd_finds_nobody",
            f"{CLIENTS}the_crowd_is_told_that_the_server_is_busy",
            f"{CLIENTS}the_crowd_notices_a_bad_server",
        ),
    ),
    # --- waits and crowds ---
    "W1": Row(
        "an upload that stands still is given up, however fast it was; a slow one is not",
        why_not=NO_LIMITS,
    ),
    "W2": Row("readers that trickle do not keep their workers", why_not=NO_LIMITS),
    "W3": Row("work is bounded, and ends with its client"),
    "W4": Row("a trace into a pipe that is not read stops nobody"),
    "W5": Row(
        "who has not spoken stays with the kernel, where the client speaks first",
        why_not=NO_LIMITS,
    ),
    "W6": Row("patience shrinks while others wait, and only then", why_not=NO_LIMITS),
    "W7": Row("no worker lingers on a client that was given up", why_not=NO_LIMITS),
    "W8": Row("a lock that somebody else holds on the folder stops nobody"),
    # --- what the issue asks beyond the list ---
    "S1": Row(
        "slowhttptest in its four modes makes lab 3 unavailable, and lab 4 not",
        why_not="lab 1 is held by any client, and a thread per client is another lesson",
    ),
    "S2": Row(
        "slow clients of all kinds hold a server without limits, and the next one waits",
        why_not="lab 1 is held by any client; lab 4 has limits, see B5 to B9",
    ),
    "L1": Row("500 starts, each stopped after 0 to 50 ms: never a hang or a core"),
    "L2": Row("valgrind finds nothing lost, and nothing read that was never written"),
}


def rows_of(name: str) -> list[str]:
    """The rows that a test's name begins with: test_a1_a2_... has A1 and A2."""
    match = NAME.match(name)
    return match[1].upper().rstrip("_").split("_") if match else []


def exists(test: str) -> bool:
    """Is there such a test?"""
    path, _, name = test.partition("::")
    tree = ast.parse((ROOT / path).read_text())
    return name in {
        node.name for node in tree.body if isinstance(node, ast.FunctionDef)
    }
