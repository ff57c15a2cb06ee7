"""peer -- the same six-step order over Redis Streams, every write synced: what the specification proposes.

The server is a private one: a socket in a temporary folder, no port, nothing of the system's Redis.
"""

import json
import os
import resource
import shutil
import subprocess
import time

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
        self.process = subprocess.Popen(["redis-server", config], stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL)
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
    done = subprocess.run([bench.binary("zvt-redis-peer"), *words], text=True, stdout=subprocess.PIPE, stderr=subprocess.PIPE,
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


def run(bench):
    """At its best, and at the rates that the fleet is measured at."""
    if not available(bench):
        if bench.is_quick:
            return {"title": "peer: not here", "rows": [], "notes": [HOW_TO_INSTALL]}
        raise BenchError(HOW_TO_INSTALL)
    bench.stop_fleet()  # an idle fleet beside it would need the processor too
    rates = [bench.rate] if bench.rate else bench.quick([200], [1000, 5000, 10000, 15000])
    rows = []
    with Redis(bench) as redis:
        best = _measure(bench, redis, "at its best", bench.seconds or bench.quick(1, 20), window=bench.quick(64, 1024), workers=3, count=512)
        for rate in rates:
            if bench.rate or rate < best["per_s"]:
                rows.append(_measure(bench, redis, "%s/s" % format(round(rate), ","), bench.seconds or bench.quick(1, 20), rate=rate))
        rows.append(best)
    return {"title": "peer: six trivial steps over Redis Streams, appendfsync always", "rows": rows}
