"""strategies -- 1,000 strategies in a few host processes, each on one of 248 symbols, trading on 20,000 quotes a second.

The hosts are what `fleet attach` runs: the strategies' own library with many strategies in a process. The quotes come as those of
a venue that is elsewhere would: a gateway passes on what a source sends it (that of the ticks scenario). The orders go to two
synthetic venues, whose own few quotes the strategies do not hear: those bear the time of the market's last step, a tenth of a second.
Every signal that was sent has to become exactly one order.
"""

import collections
import os
import signal
import subprocess
import time

from control import ask
from fleet import BenchError, fleet_file, symbols_of
from measure import Snapshot, between, memory_mb

HOSTS = 4
PERIOD_MS = 1000
QUOTES_PER_S = 20500
GATHER_US = 1000  # quotes leave the source once a millisecond; what they wait until then counts
FEED = "feed"  # a venue of which there are only quotes
HOPS = 3       # source, gateway, host, orchestrator
LIFETIME_S = 30  # of zvt-pulse
ANSWERED = ("signals_acked", "signals_refused", "signals_expired")
# Strategies with exactly as many orders as they sent signals, none of them of the same signal; signals that became more than one.
ORDERS_OF_EACH = """select count(*) filter (where orders = %d and signals = orders), coalesce(sum(orders - signals), 0)
    from (select event_data->>'strategy_id' as strategy, count(*) as orders, count(distinct event_data->>'signal_id') as signals
          from event_store where event_type = 'order.requested' group by 1) s"""


class Feed:
    """The quotes: a gateway of their own and their source, which the fleet knows nothing of; `env` is that of who hears them. Use `with`."""

    def __init__(self, fleet, symbols, quotes_per_s):
        self.fleet, self.processes = fleet, {}
        path = os.path.join(fleet.bench.folder, "feed.zpl")
        with open(path, "w") as out:
            out.write(fleet_file(symbols=symbols, venues=(FEED,)))
        self.env = {**fleet.environment(), "ZVT_FLEET": path}
        self._start("gateway-" + FEED, [*fleet.bench.as_fleet, fleet.bench.binary("zvt-gateway")])
        self._start("source", [fleet.bench.binary("zvt-tick-source")], "--quotes", "--rate", str(quotes_per_s), "--seconds", "3600", "--symbols", str(symbols),
                    "--gather-us", str(GATHER_US))

    def _start(self, name, program, *words):
        words = ["setpriv", "--pdeathsig", "KILL", *program, "--name", name, "--venue", FEED, *words]
        process = subprocess.Popen(words, env=self.env, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.fleet.bench.children.append(process)
        self.processes[name] = process

    def __enter__(self):
        return self

    def __exit__(self, *_):
        for process in self.processes.values():
            process.kill()
            process.wait()
            self.fleet.bench.children.remove(process)

    def pids(self):
        """{name: pid}."""
        return {name: process.pid for name, process in self.processes.items()}


class Hosts:
    """Processes with many strategies each. Use `with`."""

    def __init__(self, fleet, feed, hosts, strategies, symbols, orders):
        self.fleet = fleet
        self.names = ["host%d" % n for n in range(hosts)]
        self.processes = []
        names = [symbol for symbol, _, _ in symbols_of(symbols)]
        for n, name in enumerate(self.names):
            words = ["--name", name, "--symbol", names[n * symbols // hosts], "--symbols", str(max(1, symbols // hosts)),
                     "--count", str(strategies // hosts), "--set", "period_ms=%d" % PERIOD_MS, "--set", "orders=%d" % orders]
            self.processes.append(subprocess.Popen([*fleet.bench.as_fleet, fleet.bench.binary("zvt-pulse"), *words], env=feed.env,
                                                   stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL))
        fleet.bench.children.extend(self.processes)

    def __enter__(self):
        end = time.monotonic() + 60
        while not all(self.sent(name) > 0 for name in self.names):
            if time.monotonic() > end:
                raise BenchError("the strategies do not trade")
            time.sleep(0.2)
        return self

    def __exit__(self, *_):
        for process in self.processes:
            process.send_signal(signal.SIGTERM)
        for process in self.processes:
            process.wait()
            self.fleet.bench.children.remove(process)

    def counters(self, name):
        """Of one host."""
        return ask(self.fleet, name, "stats")["counters"]

    def sent(self, name):
        """Signals that a host has sent so far."""
        try:
            return self.counters(name).get("signals_sent", 0)
        except BenchError:
            return 0

    def totals(self):
        """Every counter, over all hosts."""
        found = collections.Counter()
        for name in self.names:
            found.update(self.counters(name))
        return found

    def pids(self):
        """{name: pid}."""
        return {name: process.pid for name, process in zip(self.names, self.processes)}


def _trade(bench, hosts, signals, seconds):
    """Waits until every signal has been sent and answered; false when that takes far too long."""
    end = time.monotonic() + 3 * seconds + 45
    while True:
        totals = hosts.totals()
        if sum(totals[name] for name in ANSWERED) >= signals:
            return True
        if time.monotonic() > end:
            return False
        bench.progress("%s of %s signals sent" % (format(totals["signals_sent"], ","), format(signals, ",")))
        time.sleep(0.5)


def run(bench):
    """Attached, trading, and counted."""
    strategies, symbols = bench.quick((8, 4), (1000, 248))
    hosts_count, seconds = bench.quick((2, 2), (HOSTS, max(1, int(bench.seconds or 30))))
    signals = strategies * seconds * 1000 // PERIOD_MS
    quotes_per_s = bench.rate or bench.quick(2000, QUOTES_PER_S)
    with bench.fleet(symbols=symbols, venues=("alpha", "beta")) as fleet, Feed(fleet, symbols, quotes_per_s) as feed:
        watch = bench.watch(fleet, "--lifetime", str(LIFETIME_S))
        with Hosts(fleet, feed, hosts_count, strategies, symbols, signals // strategies) as hosts:
            pids = {**fleet.pids(), **feed.pids(), **hosts.pids(), "watch": watch.process.pid}
            watch.measure()
            first, begin = Snapshot(fleet, pids), (time.monotonic(), hosts.totals())
            is_over = _trade(bench, hosts, signals, seconds)
            end = (time.monotonic(), hosts.totals())
            last = Snapshot(fleet, pids).with_memory()
            count = {name: end[1][name] for name in ("signals_sent", "signals_resent", "signals_refused", "signals_expired", "market_gaps")}
            per_s = {name: (end[1][name] - begin[1][name]) / (end[0] - begin[0]) for name in ("market_quotes", "market_updates", "signals_sent")}
            memory = sum(memory_mb(pid) for pid in hosts.pids().values())
        time.sleep(1)  # the observer hears of the last commit within a tip heartbeat
        seen = watch.finish()
        each = fleet.sql(ORDERS_OF_EACH % (signals // strategies)) if is_over else "0|0"
    exact, doubled = (int(figure) for figure in each.split("|"))
    spans, sent = seen["latency_ms"]["quote_to_requested"], count["signals_sent"]
    row = {"case": "%s strategies" % format(strategies, ","), "seconds": seconds, "per_s": round(per_s["signals_sent"], 1), "success_share": exact / strategies, "doubled": doubled,
           "requested": seen["requested"], "quotes_per_s": round(per_s["market_quotes"]), "updates_per_s": round(per_s["market_updates"]), "hosts_rss_mb": round(memory, 1), **count,
           "lost": max(0, sent - count["signals_refused"] - seen["requested"])}
    row.update({point + "_ms": spans[point] for point in ("p50", "p99", "p999", "max")})
    row["stages"] = {name: seen["latency_ms"][name] for name in ("quote_to_requested", "quote_to_durable")}
    row.update(between(first, last, row["per_s"]))
    hop = bench.limits.hop_after_pauses()["round_trip_ms"]["p50"] / 2
    row["share_of_limit"] = round(HOPS * hop / row["p50_ms"], 4) if row["p50_ms"] else None
    notes = ["%s quotes/s (%s market updates/s) into %d hosts, %s gaps; %s signals (%s sent again), %s orders; hosts: %.0f MB" % (
        format(row["quotes_per_s"], ","), format(row["updates_per_s"], ","), hosts_count, format(count["market_gaps"], ","), format(sent, ","),
        format(count["signals_resent"], ","), format(seen["requested"], ","), memory),
        "the limit of p50: %d bare hops of %.3f ms" % (HOPS, hop)]
    return {"title": "strategies: from the quote to order.requested", "rows": [row], "notes": notes}
