"""ticks -- market data from the real gateway to strategies: the highest rate without loss, and the latency at 50,000/s.

A source stands in for the venue and sends by the venue's protocol; the gateway is the real one, in the mode of a live
market; the sinks subscribe as strategies do, each to everything. Latency counts from the moment a trade was due at the
source, so the hop into the gateway is in it.
"""

import json
import os
import shutil
import subprocess
import time

from fleet import BenchError, fleet_file
from measure import cpu_s

LADDER = (100000, 200000, 300000, 400000, 500000, 600000, 800000)
SOURCE = "zvt-tick-source"
KEEPS_UP_MS = 50  # a p99 above that is a queue that grows


class Market:
    """One gateway of its own, without the rest of a fleet. Use `with`."""

    def __init__(self, bench):
        self.bench = bench
        self.home = os.path.join(bench.folder, "market")
        self.env = {**bench.env, "ZVT_HOME": self.home, "ZVT_RUNTIME": self.home, "ZVT_FLEET": os.path.join(self.home, "fleet.zpl")}
        self.gateway = None

    def __enter__(self):
        os.makedirs(self.home, mode=0o700)
        with open(self.env["ZVT_FLEET"], "w") as out:
            out.write(fleet_file(symbols=3, venues=("alpha",)))
        self.gateway = self.start("zvt-gateway", "--name", "gateway")
        return self

    def __exit__(self, *_):
        self.gateway.kill()
        self.gateway.communicate()
        shutil.rmtree(self.home, ignore_errors=True)

    def start(self, program, *words):
        """A process of this market."""
        words = [self.bench.binary(program), "--venue", "alpha", *words]
        if program != SOURCE:  # which stands for a venue that is elsewhere
            words = self.bench.as_fleet + words
        process = subprocess.Popen(words, env=self.env, text=True, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL)
        self.bench.children.append(process)
        return process


def _result(process, what, seconds):
    try:
        output = process.communicate(timeout=seconds + 80)[0]
    except subprocess.TimeoutExpired:
        process.kill()
        output = process.communicate()[0]
    if not output.startswith("{"):
        raise BenchError("%s had no result" % what)
    return json.loads(output)


def _one(bench, case, strategies, rate, seconds):
    """A gateway, a source and sinks; the row."""
    bench.say(case)
    with Market(bench) as market:
        sinks = [market.start("zvt-tick-sink", "--name", "sink-%d" % n) for n in range(strategies)]
        source = market.start(SOURCE, "--rate", str(rate), "--seconds", str(seconds))
        first = (cpu_s(market.gateway.pid), time.monotonic())
        sent = _result(source, "the source", seconds)
        gateway_s = cpu_s(market.gateway.pid) - first[0]
        seen = [_result(sink, "a subscriber", seconds) for sink in sinks]
        for child in sinks + [source]:
            bench.children.remove(child)
        bench.children.remove(market.gateway)
    worst = {point: max(one[point] for one in seen) for point in ("p50", "p99", "p999", "max")}
    missing = sum(sent["sent"] - one["received"] for one in seen)
    row = {"case": case, "seconds": seconds, "offered_per_s": rate, "per_s": min(one["received"] for one in seen) / seconds, "ticks_lost": missing,
           "source_late_ms": sent["late_ms"], "success_share": 1 - missing / max(1, sent["sent"] * strategies),
           "gateway_us_per_tick": round(gateway_s * 1e6 / max(1, sent["sent"]), 3)}
    row.update({point + "_ms": value for point, value in worst.items()})
    return row


def _attempts(bench, name, strategies, rate, seconds):
    """The row of a rate that holds, or None: what was late has a second attempt, as in the orders' search; a loss has none."""
    for _ in range(2):
        row = _one(bench, name, strategies, rate, seconds)
        if row["ticks_lost"]:
            return None
        if row["p99_ms"] < KEEPS_UP_MS:
            return row
    return None


def _highest(bench, strategies):
    """Up the ladder until a rate does not hold, and halfway back."""
    name = "%d strateg%s, highest" % (strategies, "y" if strategies == 1 else "ies")
    seconds = bench.seconds or bench.quick(0.5, 6)
    best, failed = None, None
    for rate in bench.quick((2000,), LADDER):
        row = _attempts(bench, name, strategies, rate, seconds)
        if not row:
            failed = rate
            break
        best = row
    if failed:
        low = best["offered_per_s"] if best else 0
        best = _attempts(bench, name, strategies, round((low + failed) / 2, -3), seconds) or best
    return best or {"case": name, "per_s": 0.0}


def run(bench):
    """For 1, 4 and 16 strategies."""
    bench.stop_fleet()  # an idle fleet beside it would need the processor too
    rows = []
    for strategies in bench.quick((1, 4), (1, 4, 16)):
        if bench.rate:
            rows.append(_one(bench, "%d, %s/s" % (strategies, format(round(bench.rate), ",")), strategies, bench.rate, bench.seconds or 5))
        else:
            rows.append(_highest(bench, strategies))
        if not bench.rate and not bench.is_quick:
            case = "%d strateg%s, 50,000/s" % (strategies, "y" if strategies == 1 else "ies")
            rows.append(_one(bench, case, strategies, 50000, bench.seconds or 20))
        limit = bench.limits.publish(strategies)["ticks_per_s"]
        for row in rows:
            row.setdefault("share_of_limit", round(row["per_s"] / limit, 4))
    return {"title": "ticks: market data from the gateway to strategies", "rows": rows}
