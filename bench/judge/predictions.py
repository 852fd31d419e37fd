"""What theory says before anything is measured."""

import heapq
import math
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
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


def shared(
    services: Sequence[float], cores: float, time_slice: float = 0.0
) -> list[float]:
    """When each of a crowd is done if all share the cores, and none waits in line.

    Whoever is left gets an equal share, but never more than one core. The kernel
    gives the shares out in slices, in turn: those whose last slice comes first are
    done one slice after the other, so only the last is as late as equal shares say.
    """
    now, attained, done = 0.0, 0.0, []
    for rank, service in enumerate(sorted(services)):
        pace = min(1, cores / (len(services) - rank))
        now += (service - attained) / pace
        attained = service
        done.append(now)
    if len(services) <= cores:
        return done
    last = len(done)
    return [
        max(service, end - min(time_slice, service) * (last - rank) / cores)
        for rank, (service, end) in enumerate(zip(sorted(services), done), 1)
    ]


# ---- A burst: all come at one instant, and this machine has its price ----


def burst_waiting(
    services: Sequence[float],
    clerks: float,
    alone: float = 0.0,
    crowd: Callable[[int], float] = lambda rank: 0.0,
    beside: float = 0.0,
) -> list[float]:
    """When each client of a burst is done, in the order of the line, if its work waits.

    alone + ceil(k/c) S + crowd(k): a line of clerks, and what the machine charges
    besides: what each clerk's first client pays more, and how much later the k-th
    is connected and has its thread. Each further round of clerks who hinder each
    other takes beside more.
    """
    later = [s + beside * (rank >= clerks) for rank, s in enumerate(services)]
    ends = fifo(later, clerks)
    return [alone + end + crowd(rank) for rank, end in enumerate(ends, 1)]


def held_back(started: float, asked: float, first: float) -> float:
    """How much later the first round ends than it would, which is at first.

    A generator with one thread starts all of a crowd before it asks for any, so no
    work begins earlier; and it asks for all before it reads the first answer, so no
    client goes earlier, and each keeps its worker until then.
    """
    return max(0.0, started, asked - first)


def burst_computing(
    services: Sequence[float],
    clerks: float,
    cores: float,
    alone: float = 0.0,
    demands: Sequence[float] | None = None,
    time_slice: float = 0.0,
    cold: Callable[[int], float] = lambda rank: 0.0,
) -> list[float]:
    """When each client of a burst is done, in order, if its work needs a core.

    One clerk: alone + k S. More of them keep all cores busy, with demands, all CPU time
    that a client costs, in its thread and in the generator: the utilisation law, done
    after demand / cores (Denning & Buzen 1978). S has pauses, which a full machine has
    not. But what fits into a slice is done in one piece, so it is not done before the
    cores as clerks are: the later of the two. What a first client pays more (a core
    that must wake up, cold caches) is paid once on each core, and the cores pay it
    side by side; cold(k) is the same for the first of a crowd.
    """
    busy = min(clerks, len(services))
    if busy <= 1:
        return [alone + end for end in fifo(services, 1)]
    demands = demands or services
    if busy <= cores:
        return [alone + end for end in fifo(demands, busy)]
    if time_slice >= max(services):
        slower = math.ceil(cores) / cores  # clerks whom others take some time
        line = fifo([slower * service for service in services], math.ceil(cores))
        used = [end / cores for end in fifo(demands, 1)]
        ends = [alone + max(both) for both in zip(line, used)]
    else:
        ends = in_rounds(demands, int(busy), cores, alone, time_slice)
    return [end + cold(rank) for rank, end in enumerate(ends, 1)]


def in_rounds(
    demands: Sequence[float], busy: int, cores: float, start: float, time_slice: float
) -> list[float]:
    """When each is done, if so many clerks share the cores, one round after another."""
    ends = []
    for first in range(0, len(demands), busy):
        round_ = sorted(shared(demands[first : first + busy], cores, time_slice))
        begun = ends[-1] if ends else start
        ends += [begun + end for end in round_]
    return ends


def last_done(clients: int, service: float, clerks: float, cores: float) -> float:
    """When the last of a burst is done: rounds of clerks, or cores that are all busy.

    Work that waits needs no core, so for it cores is infinite.
    """
    rounds = max(1, math.ceil(clients / clerks))
    return max(rounds * service, clients * service / cores)


def slope_over_rank(times: list[float]) -> float:
    """By how much each further rank is later, by linear regression."""
    return linear_regression(range(1, len(times) + 1), sorted(times)).slope


# ---- A closed loop that is never idle ----


def tightest(
    cores: float, server: float, generator: float, serial: Mapping[str, float]
) -> tuple[float, str]:
    """The most answers per second, and what allows no more; CPU seconds for each.

    The utilisation law: no resource can be busy for more than all of the time. The
    cores share all demand; what is serial, as a thread is, has one of them
    (Denning & Buzen 1978).
    """
    bounds = {"all cores busy": cores / (server + generator)}
    bounds |= {name: 1 / demand for name, demand in serial.items() if demand > 0}
    binds = min(bounds, key=bounds.get)
    return bounds[binds], binds


# ---- Open queues: Poisson arrivals at a rate, in the long run ----


def pollaczek_khinchine(rate: float, mean: float, mean_square: float) -> float:
    """M/G/1: how long a customer waits in line on average.

    What counts is E[S^2]: one long service hurts more than many short ones
    (Pollaczek 1930, Khinchine 1932).
    """
    load = rate * mean
    return rate * mean_square / (2 * (1 - load)) if load < 1 else math.inf


def erlang_c(clerks: int, offered: float) -> float:
    """M/M/c: the probability that all clerks are busy (Erlang 1917).

    Each term a^k/k! comes from the one before, in the four operations that are rounded
    alike everywhere: the tutorial's page computes the same digits.
    """
    term, fewer = 1.0, 0.0
    for k in range(1, clerks + 1):
        fewer += term
        term *= offered / k
    waiting = term * clerks / (clerks - offered)
    return waiting / (fewer + waiting)


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


# ---- A line that is served by a rule ----


def little(rate: float, time: float) -> float:
    """How many are there on average, if each stays for this time: L = lambda W.

    Of any line, whatever its rule (Little 1961).
    """
    return rate * time


def shortest_first(rate: float, jobs: Sequence[tuple[float, float]]) -> list[float]:
    """M/G/1, the shortest job first and none interrupted: the mean wait of each kind.

    jobs are services and their shares, the shortest first. With R what is left of the
    job in service, W = R / (1 - load of shorter) / (1 - load of shorter and equal)
    (Cobham 1954, with classes; Phipps 1956).
    """
    rest = rate * sum(share * service**2 for service, share in jobs) / 2
    waits, before = [], 0.0
    for service, share in jobs:
        load = before + rate * share * service
        waits.append(rest / (1 - before) / (1 - load) if load < 1 else math.inf)
        before = load
    return waits


def shared_line(rate: float, mean: float, mean_square: float, clerks: int) -> float:
    """M/G/c: how long a customer waits in the one line of c clerks, about.

    Erlang's M/M/c, times (1 + C^2) / 2 (Lee & Longton 1959).
    """
    offered = rate * mean
    if offered >= clerks:
        return math.inf
    exponential = erlang_c(clerks, offered) * mean / (clerks - offered)
    return exponential * mean_square / mean**2 / 2


def shortest_of_those(services: Sequence[float], arrivals: Sequence[float]) -> list:
    """When each of these very customers is done, if one clerk takes the shortest."""
    now, next_one, line = 0.0, 0, []
    done = [0.0] * len(services)
    while next_one < len(services) or line:
        if not line:
            now = max(now, arrivals[next_one])
        while next_one < len(services) and arrivals[next_one] <= now:
            heapq.heappush(line, (services[next_one], next_one))
            next_one += 1
        service, customer = heapq.heappop(line)
        now += service
        done[customer] = now
    return done


# ---- Clients who hold clerks ----


def held_up(holders: int, clerks: int, limit: float) -> float:
    """For how long nobody is served while so many hold each clerk up to a limit."""
    return math.ceil(holders / clerks) * limit if holders >= clerks else 0.0


# ---- A crowd before a short backlog ----


@dataclass(frozen=True)
class Admission:
    """What the kernel grants: places, and when whoever found none tries again."""

    inside: int  # clients that the server holds: at work, in its queue, in its hand
    backlog: int  # the kernel's queue holds one more: listen(2)
    syns: Sequence[float]  # when a SYN that nobody answered is sent again
    revivals: Sequence[float]  # and data that found no place, after connect()
    is_beside: bool = True  # the server has a core of its own while a crowd comes
    is_beside_timers: bool = True  # and while SYNs are sent again, by the kernel


def admitted(
    clients: int, service: float, admission: Admission, until: float
) -> list[float]:
    """When each of a crowd is done, by the kernel's schedule; infinite if not in time.

    At first all come one after the other: as many as there are places are in, and, if
    the server has a core of its own meanwhile, those that it holds. The others' SYNs are
    sent again in one moment: if there is a place then, all are answered, but the server
    knows of only as many. The rest are phantoms, whose requests the kernel sends
    again, all in one moment: of them the queue takes what it holds (tcp_v4_syn_recv_sock).
    """
    done: list[float] = []

    def admit(moment: float, waiting: int, is_beside: bool = False) -> int:
        """Let in as many as there are places; returns how many are left outside."""
        present = sum(end > moment for end in done)
        held = min(present, admission.inside)
        room = admission.backlog + 1 - (present - held)  # in the kernel's queue
        if room <= 0:
            return waiting
        count = min(waiting, room + (admission.inside - held) * is_beside)
        for _ in range(count):
            begun = max(moment, done[-1] if done else 0.0)
            done.append(begun + service)
        return waiting - count

    outside = admit(0.0, clients, admission.is_beside)
    for syn in admission.syns:
        present = sum(end > syn for end in done)
        if outside == 0 or syn > until:
            break
        if present - admission.inside > admission.backlog:
            continue  # no place: all SYNs are lost once more
        outside = admit(syn, outside, admission.is_beside_timers)
        for revival in admission.revivals:
            outside = admit(syn + revival, outside)
        break  # whoever is left is a phantom now and sends no SYN any more
    in_time = [end for end in done if end <= until]
    return in_time + [math.inf] * (clients - len(in_time))


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
