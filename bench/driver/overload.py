"""overload -- what honest orders take while somebody misbehaves: nobody else's latency may suffer by more than 10 %.

One steady open load for the whole run, which sends again what is not acknowledged, as strategies do; meanwhile one
disturber after the other is switched on and off in rounds (without, with, with, without, ..). A pair of rounds that lie side
by side in time gives one factor, with over without; judged are the median over the pairs and its interval
(tests/system/comparison.py). What the fleet does to others is measured, not that somebody else needs the processor: the disturbers
(tests/system/disturb.py) run only while a processor is idle, and those that send signals send as many to a stranger in the rounds
without. What it does beside silence, and what the stranger does, are rows of their own, which are not judged.
"""

import bisect
import collections
import contextlib
import os
import subprocess
import sys
import threading
import time

from fleet import BenchError
from load import Load, read_trace

SHARED = os.path.join(os.path.dirname(os.path.realpath(__file__)), "..", "..", "tests", "system")
sys.path.append(SHARED)
from comparison import Comparison  # noqa: E402  it lies beside the scenarios that use it too

# Word of disturb.py, case, what it counts, and how many a second there must be for the comparison to say anything.
DISTURBERS = (
    ("subscribers", "subscribers that never read", "", 0),
    ("clients", "clients that never read", "questions", 80),
    ("runaway", "a runaway strategy", "signals", 8000),
    ("names", "ever new strategy names", "signals", 2400),
    ("malformed", "malformed frames", "sockets thrown at", 8),
)
# Not judged: what it does beside silence, and what the same conversation with a stranger to the fleet does beside silence.
CONTROLS = (
    ("silence", "a runaway, beside silence", "signals", 8000),
    ("stranger", "signals to a stranger, the same", "signals", 8000),
)
STRATEGY_LIMIT_HZ = 20  # what risk lets a strategy do in this fleet ..
STRATEGY_HZ = 5         # .. and what each of the honest ones does of it
STRATEGIES_MAX = 1000   # a sender may bring 1,024 names at once
PAIRS, ROUND_S, SETTLE_S = 10, 4, 0.5  # of ten pairs, one that a stall of the machine spoiled lies outside the interval
DRAIN_S = 3             # for the last orders to end
Plan = collections.namedtuple("Plan", "pairs round_s settle_s")


class Disturber:
    """disturb.py with one of its words, off at first. Use `with`."""

    def __init__(self, fleet, word):
        self.children = fleet.bench.children
        self.process = subprocess.Popen([sys.executable, os.path.join(SHARED, "disturb.py"), word], env=fleet.environment(), text=True,
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.PIPE)
        self.children.append(self.process)
        self.is_on, self.done, self.on_s, self.control_hz = False, 0, 0.0, 0.0
        self.since = (0, 0.0)  # what it had done when it was switched on, and when that was
        self._hear("ready")

    def _hear(self, word):
        answer = self.process.stdout.readline().split()
        if answer[:1] != [word]:
            raise BenchError("disturb.py did not answer: %s" % self.process.communicate()[1][-2000:])
        self.control_hz = float(answer[2])
        return int(answer[1])

    def turn(self, wanted):
        """Switches it; true when that changed something."""
        if wanted == self.is_on:
            return False
        with contextlib.suppress(BrokenPipeError):  # it has ended; that it does not answer is told below
            self.process.stdin.write("on\n" if wanted else "off\n")
            self.process.stdin.flush()
        told_at = time.monotonic()
        count = self._hear("on" if wanted else "off")
        if wanted:
            self.since = (count, told_at)
        else:
            self.done += count - self.since[0]
            self.on_s += told_at - self.since[1]
        self.is_on = wanted
        return True

    def __enter__(self):
        return self

    def __exit__(self, *_):
        self.process.communicate()  # it ends with its stdin
        self.children.remove(self.process)


def _rounds(load, word, case, plan):
    """((begin, end) without, (begin, end) with) of each pair, in UTC seconds; what was done a second meanwhile, and to a stranger
    in the rounds without."""
    found = []
    with Disturber(load.fleet, word) as disturber:
        time.sleep(plan.settle_s)  # the one before has left, this one has come
        for pair in range(plan.pairs):
            ends = {}
            for wanted in (True, False) if pair % 2 else (False, True):
                if disturber.turn(wanted):
                    time.sleep(plan.settle_s)  # what switching itself costs is not part of a round
                load.label = "%s, pair %d of %d, %s" % (case, pair + 1, plan.pairs, "with" if wanted else "without")
                begin = time.time()
                time.sleep(plan.round_s)  # the length of a round
                ends[wanted] = (begin, time.time())
            if load.process.poll() is not None:
                raise BenchError("the load ended before the rounds did")
            found.append((ends[False], ends[True]))
        disturber.turn(False)
        return found, disturber.done / disturber.on_s, disturber.control_hz


def _latencies_ms(orders, span):
    """Of the completed orders that were due in this time."""
    first, last = (bisect.bisect_left(orders, at, key=lambda order: order[0]) for at in span)
    return [(ended - due) * 1e3 for due, ended, outcome in orders[first:last] if outcome == "filled"]


def _row(case, rounds, orders):
    """One disturber's row."""
    median, tail = Comparison(50), Comparison(99)
    for pair in rounds:
        without, with_it = (_latencies_ms(orders, span) for span in pair)
        if not without or not with_it:
            raise BenchError("%s: no order completes in a round" % case)
        for comparison in (median, tail):
            comparison.add(without, with_it)
    row = {"case": case, "pairs": len(rounds)}
    for comparison in (median, tail):
        name = "p%d" % comparison.percent
        without, with_it = comparison.medians()
        factor, low, high = comparison.factor()
        row.update({name + "_without_ms": without, name + "_ms": with_it, name + "_factor": factor, name + "_factor_low": low,
                    name + "_factor_high": high, name + "_interval": "%.3f .. %.3f" % (low, high),
                    name + "_rounds_ms": list(zip(comparison.without, comparison.with_it))})
    return row


def _whole(rate, rounds, orders):
    """What became of all orders from the first round to the last, switching included."""
    begin, end = min(min(pair)[0] for pair in rounds), max(max(pair)[1] for pair in rounds)
    outcomes = collections.Counter(outcome for due, _, outcome in orders if begin <= due < end)
    filled = outcomes["filled"]
    return {"case": "honest orders", "offered_per_s": rate, "per_s": round(filled / (end - begin), 1),
            "success_share": filled / max(1, outcomes.total()), "lost": outcomes["open"],
            "outcomes": dict(outcomes)}


def run(bench):
    """Every disturber, one after the other, under one load."""
    rate = bench.rate or bench.quick(200, 1000)
    plan = Plan(bench.pairs or bench.quick(1, PAIRS), bench.seconds or bench.quick(0.4, ROUND_S), bench.quick(0.1, SETTLE_S))
    longest_s = 2 * len(DISTURBERS + CONTROLS) * plan.pairs * (plan.round_s + 20)  # it is stopped when the rounds are over
    strategies = min(STRATEGIES_MAX, max(1, round(rate / STRATEGY_HZ)))
    trace, seen = os.path.join(bench.folder, "trace"), []
    with bench.fleet(symbols=3, orders_per_s=STRATEGY_LIMIT_HZ) as fleet:
        load = Load(fleet, "honest orders", rate=rate, seconds=longest_s, warmup=bench.short(3, 0.5), strategies=strategies, resend=True,
                    trace=trace)
        load.wait_phase("measure")
        listener = threading.Thread(target=load.wait_phase, args=("end",), daemon=True)  # it says something every second
        listener.start()
        for word, case, _, _ in DISTURBERS + CONTROLS:
            seen.append(_rounds(load, word, case, plan))
        time.sleep(bench.quick(0.5, DRAIN_S))  # the load goes on meanwhile; its newest orders are not looked at
        load.stop()
        listener.join()
        report = load.finish()
        orders = read_trace(trace)
        os.unlink(trace)
    rows = [{**_row(case, rounds, orders), "done_per_s": round(per_s, 1), "control_per_s": round(control_hz, 1)}
            for (_, case, _, _), (rounds, per_s, control_hz) in zip(DISTURBERS + CONTROLS, seen)]
    rows.append(_whole(rate, [pair for rounds, _, _ in seen for pair in rounds], orders))
    done = ["%s: %s %s/s%s" % (case, format(round(per_s), ","), what, ", without %s to a stranger" % format(round(control_hz), ",") if control_hz else "")
            for (_, case, what, _), (_, per_s, control_hz) in zip(DISTURBERS + CONTROLS, seen) if what]
    ends = ", ".join("%s %s" % (format(count, ","), outcome) for outcome, count in rows[-1]["outcomes"].items())
    return {"title": "overload: honest orders without and with somebody who misbehaves, %s/s" % format(round(rate), ","), "rows": rows,
            "notes": ["honest orders: %s; %s sent again" % (ends, format(report["resent"], ",")), "; ".join(done),
                      "p50 and p99: medians of %d rounds of %g s without and with; factor: median over pairs of rounds, with its 90 %% "
                      "interval; disturbers run only while a processor is idle" % (plan.pairs, plan.round_s)]}
