"""What theory says before anything is measured."""

import heapq
import math
from collections.abc import Sequence
from statistics import linear_regression


def fifo(
    services: Sequence[float], clerks: float, arrivals: Sequence[float] | None = None
) -> list[float]:
    """When each client of a line is done, if clerks take them first come, first served.

    Without arrivals all come at 0. With one clerk and equal service times S that
    makes k*S, with c clerks ceil(k/c)*S, with a clerk for everybody S; one slow
    customer B at the head of one clerk's line makes it B + (k-1)*S.
    """
    free_at = [0.0] * int(min(clerks, len(services)))
    done = []
    for arrival, service in zip(arrivals or [0.0] * len(services), services):
        done.append(max(arrival, heapq.heappop(free_at)) + service)
        heapq.heappush(free_at, done[-1])
    return done


def shared(services: list[float], cores: float) -> list[float]:
    """When each of a crowd is done if all share the cores, and none waits in line.

    Whoever is left gets an equal share, but never more than one core.
    """
    now, attained, done = 0.0, 0.0, []
    for rank, service in enumerate(sorted(services)):
        pace = min(1, cores / (len(services) - rank))
        now += (service - attained) / pace
        attained = service
        done.append(now)
    return done


def last_done(clients: int, service: float, clerks: float, cores: float) -> float:
    """When the last of a burst is done: rounds of clerks, or cores that are all busy.

    Work that waits needs no core, so for it cores is infinite.
    """
    rounds = max(1, math.ceil(clients / clerks))
    return max(rounds * service, clients * service / cores)


def slope_over_rank(times: list[float]) -> float:
    """By how much each further rank is later, by linear regression."""
    return linear_regression(range(1, len(times) + 1), sorted(times)).slope


# ---- Open queues: Poisson arrivals at a rate, in the long run ----


def pollaczek_khinchine(rate: float, mean: float, mean_square: float) -> float:
    """M/G/1: how long a customer waits in line on average.

    What counts is E[S^2]: one long service hurts more than many short ones
    (Pollaczek 1930, Khinchine 1932).
    """
    load = rate * mean
    return rate * mean_square / (2 * (1 - load)) if load < 1 else math.inf


def erlang_c(clerks: int, offered: float) -> float:
    """M/M/c: the probability that all clerks are busy (Erlang 1917)."""
    terms = [offered**k / math.factorial(k) for k in range(clerks + 1)]
    waiting = terms[clerks] * clerks / (clerks - offered)
    return waiting / (sum(terms[:clerks]) + waiting)


def deterministic(rate: float, service: float, clerks: int) -> float:
    """M/D/c: how long a customer waits in line on average.

    Exact for one clerk, Cosmetatos' approximation of 1975 for more.
    """
    offered = rate * service
    load = offered / clerks
    if load >= 1:
        return math.inf
    exponential = erlang_c(clerks, offered) * service / (clerks - offered)
    more = (1 - load) * (clerks - 1) * (math.sqrt(4 + 5 * clerks) - 2)
    return exponential / 2 * (1 + more / (16 * load * clerks))


# ---- Clients who hold clerks ----


def held_up(holders: int, clerks: int, limit: float) -> float:
    """For how long nobody is served while so many hold each clerk up to a limit."""
    return math.ceil(holders / clerks) * limit if holders >= clerks else 0.0


# ---- The kernel's patience ----


def syn_times(linear: int, until: float, first: float = 1.0) -> list[float]:
    """When a SYN that nobody answers is sent again, in seconds after the first.

    first is the initial timeout (RFC 6298). Since Linux 6.5 it is not doubled for
    the first so many times (net.ipv4.tcp_syn_linear_timeouts); before, linear is 0.
    """
    times, step = [], first
    while (sum_so_far := times[-1] if times else 0.0) + step <= until:
        times.append(sum_so_far + step)
        if len(times) > linear:
            step *= 2
    return times


def revival_times(until: float, first: float = 0.21) -> list[float]:
    """When data that a server did not take is sent again, after connect().

    Linux waits 200 ms and a little at least, and doubles that each time.
    """
    times = [first]
    while 2 * times[-1] <= until:
        times.append(2 * times[-1])
    return times
