"""recovery -- kill -9 of each process under load: how long until orders complete again.

While a venue or its gateway is gone, orders that name no venue go to another. So those two are killed under a load that names the venue.

The load sends again what is not acknowledged, as strategies do. Counted from the kill: until the first order that became
due after it has completed, and until the last one that was under way has. An outage that only delays shows as a stall: the
longest time without a completion.
"""

import datetime
import os
import re
import signal
import time

from fleet import BenchError
from load import Load, lost_of, read_trace

ORDER = ("risk", "executor", "portfolio", "orchestrator", "replayer", "checkpointer", "postgres")
OF_A_VENUE = ("venue-%s", "gateway-%s")


def _row(name, killed_at, until, orders):
    """What the kill did, from what became of the orders."""
    ends = sorted(ended for _, ended, outcome in orders if killed_at <= ended < until and outcome == "filled")
    after = [ended for due, ended, outcome in orders if due >= killed_at and ended and outcome == "filled"]
    under_way = [ended for due, ended, _ in orders if due < killed_at <= ended]
    times = [killed_at] + ends + [until]
    stall = max(later - earlier for earlier, later in zip(times, times[1:]))
    again = min(after) - killed_at if after else until - killed_at
    return {"case": name, "again_ms": round(again * 1e3, 1), "stall_ms": round(stall * 1e3, 1),
            "under_way_ms": round((max(under_way) - killed_at) * 1e3, 1) if under_way else 0.0,
            "max_ms": round(max(again, stall) * 1e3, 1)}


def kill_under_load(bench, fleet, names, rate, **options):
    """One after another under one load, Postgres last: a row for each, and the load's report."""
    pause_s = bench.quick(1.5, 6)
    trace = os.path.join(bench.folder, "trace")
    load = Load(fleet, "under load", rate=rate, seconds=pause_s * (len(names) + 1), warmup=2, resend=True, trace=trace, **options)
    kills = []
    load.wait_phase("measure")
    for name in names:
        time.sleep(pause_s)  # what the kill before has delayed is over, or shows as such
        pid = fleet.pid(name)
        if pid == 0:
            raise BenchError("%s does not run, so it cannot be killed" % name)
        bench.say("killing %s" % name)
        kills.append((name, time.time()))
        os.kill(pid, signal.SIGKILL)
    report = load.finish()
    orders = read_trace(trace)
    os.unlink(trace)
    last_due = max(due for due, _, _ in orders)  # behind it there is nothing to complete
    ends = [killed_at for _, killed_at in kills[1:]] + [min(kills[-1][1] + pause_s, last_due)]
    rows = [_row(name, killed_at, until, orders) for (name, killed_at), until in zip(kills, ends)]
    if names[-1] == "postgres":
        rows[-1].update(_crash_recovery(fleet))
    return rows, report


def _crash_recovery(fleet):
    """What Postgres wrote about its last start: time until it took connections, and of that to redo its WAL."""
    with open(os.path.join(fleet.home, "log", "postgres", "current"), errors="replace") as file:
        text = file.read().rpartition(" starting PostgreSQL")
    begin = text[0].rpartition("\n")[2]
    ready = re.search(r"^(\S+ \S+) .*database system is ready to accept connections", text[2], re.MULTILINE)
    if not ready or "was not properly shut down" not in text[2]:
        raise BenchError("Postgres' log does not tell of a crash recovery")
    redo = re.search(r"redo done at .* elapsed: ([0-9.]+) s", text[2])
    times = [datetime.datetime.fromisoformat(" ".join(words.split()[:2])) for words in (begin, ready.group(1))]
    return {"ready_ms": (times[1] - times[0]).total_seconds() * 1e3, "redo_ms": float(redo.group(1)) * 1e3 if redo else 0.0}


def worst_of(case, rows, *reports):
    """What the slowest of them did, and what became of all orders."""
    worst = {key: max(row[key] for row in rows) for key in ("again_ms", "stall_ms", "under_way_ms", "max_ms")}
    return {"case": case, "offered_per_s": reports[0]["rate"], "success_share": min(report["success_share"] for report in reports),
            "lost": sum(lost_of(report, resends=True) for report in reports), **worst}


def run(bench):
    """Every process of a fleet."""
    rate = bench.rate or bench.quick(200, 5000)
    rows, reports = [], []
    with bench.fleet(symbols=3) as fleet:
        loads = [([name % venue for name in OF_A_VENUE], {"venue": venue}) for venue in bench.quick(("alpha",), ("alpha", "beta"))]
        loads.append((bench.quick(("risk", "orchestrator"), ORDER), {}))
        for names, options in loads:
            found, report = kill_under_load(bench, fleet, names, rate, **options)
            rows += found
            reports.append(report)
    rows.append(worst_of("every process but Postgres", [row for row in rows if row["case"] != "postgres"], *reports))
    return {"title": "recovery: orders complete again after kill -9, %s orders/s" % format(round(rate), ","), "rows": rows,
            "notes": ["%s orders, %s sent again, %s rejected, %s expired, %s refused" % tuple(
                format(sum(report[name] for report in reports), ",") for name in ("sent", "resent", "rejected", "expired", "refused"))]}
