"""recovery -- kill -9 of each process under load: how long until orders complete again.

The load sends again what is not acknowledged, as strategies do. Counted from the kill: until the first order that became
due after it has completed, and until the last one that was under way has. An outage that only delays shows as a stall: the
longest time without a completion.
"""

import os
import signal
import time

from fleet import BenchError
from load import Load, lost_of, read_trace

ORDER = ("venue-alpha", "venue-beta", "gateway-alpha", "gateway-beta", "risk", "executor", "portfolio", "orchestrator", "replayer",
         "checkpointer", "postgres")


def _row(name, killed_at, until, orders):
    """What the kill did, from what became of the orders."""
    ends = sorted(ended for _, ended, _ in orders if killed_at <= ended < until)
    after = [ended for due, ended, outcome in orders if due >= killed_at and ended and outcome == "filled"]
    under_way = [ended for due, ended, _ in orders if due < killed_at <= ended]
    times = [killed_at] + ends + [until]
    stall = max(later - earlier for earlier, later in zip(times, times[1:]))
    again = min(after) - killed_at if after else until - killed_at
    return {"case": name, "again_ms": round(again * 1e3, 1), "stall_ms": round(stall * 1e3, 1),
            "under_way_ms": round((max(under_way) - killed_at) * 1e3, 1) if under_way else 0.0,
            "max_ms": round(max(again, stall) * 1e3, 1)}


def kill_under_load(bench, fleet, names, rate):
    """One after another under one load: a row for each, and the load's report."""
    pause_s = bench.quick(1.5, 6)
    trace = os.path.join(bench.folder, "trace")
    load = Load(fleet, "under load", rate=rate, seconds=pause_s * (len(names) + 1), warmup=2, resend=True, trace=trace)
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
    return [_row(name, killed_at, until, orders) for (name, killed_at), until in zip(kills, ends)], report


def worst_of(case, rows, report):
    """What the slowest of them did, and what became of all orders."""
    worst = {key: max(row[key] for row in rows) for key in ("again_ms", "stall_ms", "under_way_ms", "max_ms")}
    return {"case": case, "offered_per_s": report["rate"], "success_share": report["success_share"], "lost": lost_of(report), **worst}


def run(bench):
    """Every process of a fleet."""
    rate = bench.rate or bench.quick(200, 5000)
    with bench.fleet(symbols=3) as fleet:
        here = set(fleet.services())
        names = [name for name in bench.quick(("risk", "orchestrator"), ORDER) if name in here]
        rows, report = kill_under_load(bench, fleet, names, rate)
    rows.append(worst_of("every process", rows, report))
    return {"title": "recovery: orders complete again after kill -9, %s orders/s" % format(round(rate), ","), "rows": rows,
            "notes": ["%s orders, %s sent again, %s rejected, %s expired, %s refused" % tuple(
                format(report[name], ",") for name in ("sent", "resent", "rejected", "expired", "refused"))]}
