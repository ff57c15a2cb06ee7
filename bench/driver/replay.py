"""replay -- how fast each follower is rebuilt from a long log.

The log is made by zvt-fill while the followers are down. Then each of them folds it alone: with the same binary and code
as at its start (--fold), from the first event to a barrier at the end.
"""

import json
import os
import subprocess
import tempfile
import time

from fleet import BenchError
from measure import children, cpu_s

WRITERS = ("orchestrator", "checkpointer", "risk", "portfolio")
MILLIONS = 10  # of events
READERS = ("postgres", "replayer")  # who gets the log to them
FOLLOWERS = ("orchestrator", "risk", "portfolio")


def fill(fleet, events, strategies=100, symbols=1):
    """Makes the log longer; the processes that fold it stay down. What zvt-fill says."""
    fleet.stop(*WRITERS)
    process = subprocess.Popen([fleet.bench.binary("zvt-fill"), "--events", str(int(events)), "--strategies", str(strategies),
                                "--symbols", str(symbols)], env=fleet.environment(), text=True, stdout=subprocess.PIPE,
                               stderr=subprocess.PIPE)
    fleet.bench.children.append(process)
    said = []
    for line in process.stderr:
        words = line.split()
        if words[:1] == ["progress"]:
            fleet.bench.progress("making a log: %s of %s events" % (format(int(words[1]), ","), format(int(words[2]), ",")))
        else:
            said.append(line)
    output = process.stdout.read()
    fleet.bench.children.remove(process)
    if process.wait() != 0:
        raise BenchError("zvt-fill failed: " + "".join(said))
    fleet.sql("vacuum analyze events", owner=True)  # as autovacuum would have, before it disturbs the measurement
    return json.loads(output)


def _reading_s(fleet):
    """CPU so far of those who read the log out of the database."""
    pids = [fleet.pid(name) for name in READERS]
    return sum(cpu_s(pid) for parent in pids for pid in [parent] + children(parent))


def _fold(fleet, name, last):
    """One follower folds the log up to `last`; the row, with what it and the readers used."""
    start, read_s = time.monotonic(), _reading_s(fleet)
    said = tempfile.TemporaryFile("w+")
    process = subprocess.Popen([fleet.bench.binary("zvt-" + name), "--name", name + "-fold", "--fold", str(last)], env=fleet.environment(),
                               text=True, stdout=subprocess.PIPE, stderr=said)
    fleet.bench.children.append(process)
    output = process.stdout.read()
    _, status, used = os.wait4(process.pid, 0)
    process.returncode = os.waitstatus_to_exitcode(status)
    fleet.bench.children.remove(process)
    seconds = time.monotonic() - start
    if process.returncode != 0:
        said.seek(0)
        raise BenchError("%s could not fold the log (%d): %s" % (name, process.returncode, said.read()[-2000:]))
    if json.loads(output)["seq"] != last:
        raise BenchError("%s folded to %s, not to %s" % (name, json.loads(output)["seq"], last))
    return {"case": name, "per_s": round(last / seconds, 1), "seconds": round(seconds, 2), "events": last,
            "cpu_us_per_event": round((used.ru_utime + used.ru_stime) * 1e6 / last, 3),
            "reading_us_per_event": round((_reading_s(fleet) - read_s) * 1e6 / last, 3), "rss_mb_total": round(used.ru_maxrss / 1024, 1)}


def run(bench):
    """Each follower alone."""
    events = bench.quick(50000, (bench.events or MILLIONS) * 1e6)
    with bench.fleet(symbols=3) as fleet:
        made = fill(fleet, events)
        last = made["barrier_seq"]
        rows = []
        for name in FOLLOWERS:
            bench.say("%s folds %s events" % (name, format(last, ",")))
            rows.append(_fold(fleet, name, last))
        limit = bench.limits.read(fleet, last)["rows_per_s"]
        fleet.start(*WRITERS)
        fleet.wait_trading()
    for row in rows:
        row["share_of_limit"] = round(row["per_s"] / limit, 4)
    notes = ["%s events; the log was written at %s rows/s by COPY and hashed; bare COPY out of the database: %s rows/s" % (
        format(last, ","), format(round(made["rows_per_s"]), ","), format(round(limit), ","))]
    return {"title": "replay: rebuilding each follower from the log", "rows": rows, "notes": notes}
