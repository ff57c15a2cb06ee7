"""limits -- what the machine gives to bare loops, measured once in a run and only when a result needs it."""

import json
import os
import subprocess

from fleet import BenchError

TICK_BYTES, TICKS_PER_MESSAGE = 110, 74  # a trade as the gateway packs it; in its messages of at most 8 KiB


class Limits:
    """Lazy figures. Those of the database need a running fleet with a log of some length."""

    def __init__(self, bench):
        self.bench = bench
        self.found = {}

    def _run(self, *words):
        done = subprocess.run([self.bench.binary("zvt-limit"), *words], text=True, stdout=subprocess.PIPE,
                              stderr=subprocess.PIPE, check=False, env=self.bench.env)
        if done.returncode != 0:
            raise BenchError("zvt-limit %s failed: %s" % (" ".join(words), done.stderr))
        return json.loads(done.stdout)

    def _once(self, key, measure):
        if key not in self.found:
            self.bench.say("measuring the limit: " + key)
            self.found[key] = measure()
        return self.found[key]

    def copy(self, fleet, batch, seconds=None, when=""):
        """The log's own rows by COPY BINARY from a bare loop, into a table like the log, `batch` rows a commit. `when` makes it another measurement."""
        seconds = seconds or self.bench.quick(1, 10)
        words = ("copy", "--dsn", fleet.owner_dsn(), "--batch", str(batch), "--seconds", str(seconds))
        return self._once("COPY of %d rows a commit for %g s %s" % (batch, seconds, when), lambda: self._run(*words))

    def copy_at(self, fleet, rows_per_s):
        """The same at a steady rate: each commit takes the rows that are due, and the age of each counts from when it was."""
        words = ("copy", "--dsn", fleet.owner_dsn(), "--rate", str(rows_per_s), "--seconds", self.bench.short(30, 1))
        return self._once("COPY of %s rows/s" % format(rows_per_s, ","), lambda: self._run(*words))

    def best_rows_per_s(self, fleet, seconds, when):
        """With the best size of commits, for as long as what it is compared with: write-back and checkpoints tell after half a
        minute. What was written before is on the disk first."""
        os.sync()
        batch = max((1000, 4000, 16000), key=lambda batch: self.copy(fleet, batch)["rows_per_s"])
        return self.copy(fleet, batch, seconds, when)["rows_per_s"]

    def read(self, fleet, rows):
        """Rows out of the database in one COPY stream."""
        words = ("read", "--dsn", fleet.owner_dsn(), "--rows", str(rows))
        return self._once("COPY of %d rows out of the database" % rows, lambda: self._run(*words))

    def hop(self, window):
        """Messages from process to process, `window` in flight."""
        words = ("hop", "--path", self.bench.folder, "--window", str(window), "--seconds", self.bench.short(3, 0.3))
        return self._once("ZeroMQ, %d in flight" % window, lambda: self._run(*words))

    def hop_after_pauses(self):
        """Round trips a hundred times a second: everybody on the way has fallen asleep."""
        words = ("hop", "--path", self.bench.folder, "--window", "1", "--rate", "100", "--seconds", self.bench.short(10, 0.3))
        return self._once("ZeroMQ after pauses", lambda: self._run(*words))

    def publish(self, peers):
        """Messages as the gateway publishes them to so many subscribers without loss: full of ticks, which nobody packs or reads."""
        words = ("publish", "--path", self.bench.folder, "--peers", str(peers), "--seconds", self.bench.short(3, 0.3),
                 "--size", str(TICKS_PER_MESSAGE * TICK_BYTES))
        found = self._once("ZeroMQ, one to %d" % peers, lambda: self._run(*words))
        return {**found, "ticks_per_s": found["messages_per_s"] * TICKS_PER_MESSAGE}

    def sync(self):
        """Synced writes of 8 KiB."""
        words = ("sync", "--path", os.path.join(self.bench.folder, "sync"), "--size", "8192", "--seconds", self.bench.short(3, 0.3))
        return self._once("fdatasync", lambda: self._run(*words))

    def sync_after_pauses(self):
        """The same a hundred times a second."""
        words = ("sync", "--path", os.path.join(self.bench.folder, "sync"), "--size", "8192", "--rate", "100",
                 "--seconds", self.bench.short(10, 0.3))
        return self._once("fdatasync after pauses", lambda: self._run(*words))


def _row(case, per_s, found):
    return {"case": case, "per_s": per_s, "p50_ms": found["p50"], "p99_ms": found["p99"], "max_ms": found["max"]}


def run(bench):
    """The scenario: all of them."""
    rows = []
    with bench.fleet(symbols=3) as fleet:
        bench.some_orders(fleet)
        for batch in (5, 64, 1000, 4000):
            found = bench.limits.copy(fleet, batch)
            rows.append(_row("COPY, %d rows a commit" % batch, found["rows_per_s"], found["commit_ms"]))
        for rate in bench.quick((2000,), (45000, 90000)):
            found = bench.limits.copy_at(fleet, rate)
            rows.append(_row("COPY, %s rows/s, age of a row" % format(rate, ","), found["rows_per_s"], found["age_ms"]))
    for case, found in (("fdatasync of 8 KiB", bench.limits.sync()), ("the same after pauses of 10 ms", bench.limits.sync_after_pauses())):
        rows.append(_row(case, found["syncs_per_s"], found["sync_ms"]))
    for case, found in (("ZeroMQ round trip, 1 in flight", bench.limits.hop(1)), ("the same after pauses", bench.limits.hop_after_pauses())):
        rows.append(_row(case, found["hops_per_s"], found["round_trip_ms"]))
    rows.append({"case": "ZeroMQ one way, 256 in flight", "per_s": bench.limits.hop(256)["hops_per_s"]})
    for peers in (1, 4, 16):
        rows.append({"case": "ZeroMQ one to %d, messages of %d ticks" % (peers, TICKS_PER_MESSAGE),
                     "per_s": bench.limits.publish(peers)["messages_per_s"]})
    return {"title": "limits: what bare loops get from this machine", "rows": rows}
