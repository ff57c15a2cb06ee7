"""peer -- the same six-step order over Redis Streams, every write synced: what the specification proposes.

The server is a private one: a socket in a temporary folder, no port, nothing of the system's Redis. It and its clients are
scheduled as the fleet's processes are. How many workers do best is tried, once for the highest rate and once for the latency.
The machine is not the same from minute to minute: latencies are compared of runs by turns.
"""

import json
import os
import resource
import shutil
import subprocess
import time

import medians
import orders
from fleet import BenchError
from measure import cpu_s, memory_mb

CONFIG = """port 0
unixsocket {socket}
unixsocketperm 700
dir {folder}
appendonly yes
appendfsync always
auto-aof-rewrite-percentage 0
save ""
daemonize no
logfile {folder}/log
"""
WORKERS = (1, 2, 3, 6)  # tried; more than steps would have nothing to do
WINDOW, COUNT = 1024, 512  # orders in flight at its best; of a read at the most
PACED_AT = 5000         # orders/s, at which the workers with the lowest p99 are chosen
TURNS, TURN_S, WARM_S = 3, 15, 5  # peer and fleet one after the other, how often and for how long; a fleet that has just started trades a while before
HOW_TO_INSTALL = "the peer needs redis-server and libhiredis-dev; install them, or run: run/bench peer (which does)"


class Redis:
    """A server of its own. Use `with`."""

    def __init__(self, bench):
        self.bench = bench
        self.folder = os.path.join(bench.folder, "redis")
        self.socket = os.path.join(self.folder, "socket")
        self.process = None

    def __enter__(self):
        os.mkdir(self.folder)
        config = os.path.join(self.folder, "redis.conf")
        with open(config, "w") as out:
            out.write(CONFIG.format(socket=self.socket, folder=self.folder))
        self.process = subprocess.Popen([*self.bench.as_fleet, "redis-server", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
        self.bench.children.append(self.process)
        end = time.monotonic() + 10
        while not self._answers():
            if time.monotonic() > end or self.process.poll() is not None:
                raise BenchError("redis-server did not start; see %s/log" % self.folder)
            time.sleep(0.02)
        return self

    def __exit__(self, *_):
        self.process.kill()
        self.process.wait()
        self.bench.children.remove(self.process)
        shutil.rmtree(self.folder, ignore_errors=True)

    def _answers(self):
        done = subprocess.run(["redis-cli", "-s", self.socket, "ping"], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.DEVNULL, check=False)
        return done.stdout.strip() == "PONG"


def _children_s():
    """CPU of all children that have ended."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _measure(bench, redis, case, seconds, **options):
    words = ["--socket", redis.socket, "--seconds", str(seconds), "--warmup", bench.short(3, 0.3)]
    for name, value in options.items():
        words += ["--" + name, str(value)]
    bench.say(case)
    server_s, clients_s = cpu_s(redis.process.pid), _children_s()
    done = subprocess.run([*bench.as_fleet, bench.binary("zvt-redis-peer"), *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
                          check=False)
    if not done.stdout.startswith("{"):
        raise BenchError("zvt-redis-peer failed: " + done.stderr)
    found = json.loads(done.stdout)
    cpu = {"redis-server": cpu_s(redis.process.pid) - server_s, "load and workers": _children_s() - clients_s}
    cpu_us = {name: round(seconds * 1e6 / max(1, found["sent"]), 2) for name, seconds in cpu.items()}
    return {"case": case, "offered_per_s": found["rate"] or None, "per_s": found["completed_per_s"], "peer_lost": found["lost"],
            "p50_ms": found["p50"], "p99_ms": found["p99"], "p999_ms": found["p999"], "max_ms": found["max"],
            "cpu_us": cpu_us, "cpu_us_per_order": round(sum(cpu_us.values()), 2),
            "rss_mb_total": round(memory_mb(redis.process.pid), 1)}


def available(bench):
    """Built, and there is a server."""
    return os.access(os.path.join(bench.options.bin, "zvt-redis-peer"), os.X_OK) and shutil.which("redis-server") is not None


def _try_workers(bench, redis, what, **options):
    """One short run for each number of workers; the rows by number."""
    return {workers: _measure(bench, redis, "%s, %d workers" % (what, workers), bench.quick(0.3, 5), workers=workers, count=COUNT, **options)
            for workers in bench.quick((3,), WORKERS)}


def _paces(bench):
    """[(case, rate)]: those that the fleet is measured at, and the highest that it has held in this run."""
    rates = [bench.rate] if bench.rate else bench.quick([200], [1000, 5000, 10000, 15000])
    found = [("%s/s" % format(round(rate), ","), rate) for rate in rates]
    held = [row for row in bench.done.get("orders", {"rows": []})["rows"] if row["case"] == "highest sustained" and row["per_s"]]
    return found + [("the fleet's highest", row["offered_per_s"]) for row in held]


def _case_of_turns(rate, who):
    return "%s/s by turns, the %s" % (format(round(rate), ","), who)


def _by_turns(bench, redis, workers_at):
    """The peer and the fleet at the same rates, one after the other, and again; a row with the medians for each."""
    rates = [bench.rate] if bench.rate else bench.quick([200], [PACED_AT, 2 * PACED_AT])
    seconds, found = bench.seconds or bench.quick(1, TURN_S), {}
    for _ in range(bench.quick(1, TURNS)):
        for rate in rates:
            case = _case_of_turns(rate, "peer")
            found.setdefault(case, []).append(_measure(bench, redis, case, seconds, rate=rate, workers=workers_at(rate), count=COUNT))
        with bench.fleet(symbols=3) as fleet:
            warm = orders.one_load(bench, fleet, rates[0], bench.quick(1, WARM_S), case="warming up")
            for rate in rates:
                case = _case_of_turns(rate, "fleet")
                row = orders.one_load(bench, fleet, rate, seconds, case=case)
                found.setdefault(case, []).append({**row, "lost": row["lost"] + (warm["lost"] if rate == rates[0] else 0)})
        bench.stop_fleet()
    return [medians.of_case(found[_case_of_turns(rate, who)]) for rate in rates for who in ("peer", "fleet")]


def turns(rows):
    """[(fleet's row, peer's row)] of the rates at which they ran by turns."""
    by_case = {row["case"]: row for row in rows}
    return [(row, by_case[case.replace("the fleet", "the peer")]) for case, row in by_case.items() if case.endswith("by turns, the fleet")]


def run(bench):
    """At its best, and at the rates that the fleet is measured at."""
    if not available(bench):
        if bench.is_quick:
            return {"title": "peer: not here", "rows": [], "notes": [HOW_TO_INSTALL]}
        raise BenchError(HOW_TO_INSTALL)
    bench.stop_fleet()  # an idle fleet beside it would need the processor too
    seconds, window = bench.seconds or bench.quick(1, 20), bench.quick(64, WINDOW)
    rows = []
    with Redis(bench) as redis:
        tried = _try_workers(bench, redis, "trying its best", window=window)
        fast = max(tried, key=lambda workers: tried[workers]["per_s"])
        best = _measure(bench, redis, "at its best", seconds, window=window, workers=fast, count=COUNT)
        paced = _try_workers(bench, redis, "trying at a rate", rate=bench.quick(200, PACED_AT))
        calm = min(paced, key=lambda workers: paced[workers]["p99_ms"])
        def workers_at(rate):
            return fast if rate > PACED_AT else calm

        for case, rate in _paces(bench):
            if bench.rate or rate < best["per_s"]:
                rows.append(_measure(bench, redis, case, seconds, rate=rate, workers=workers_at(rate), count=COUNT))
        rows.append(best)
        rows += _by_turns(bench, redis, workers_at)
    notes = ["workers tried, orders/s with %d in flight: %s; %d taken" % (
        window, ", ".join("%d: %s" % (workers, format(round(row["per_s"]), ",")) for workers, row in tried.items()), fast)]
    notes.append("p50, p99 ms at %s/s: %s; %d taken up to there" % (
        format(bench.quick(200, PACED_AT), ","), ", ".join("%d: %.1f, %.1f" % (workers, row["p50_ms"], row["p99_ms"]) for workers, row in paced.items()), calm))
    return {"title": "peer: six trivial steps over Redis Streams, appendfsync always", "rows": rows, "notes": notes}
