"""history -- what a log of some length costs when something ends: part of growth.

With the log that there is: how large the newest checkpoint and the snapshots are, how long it takes after kill -9 of the
orchestrator and of each follower until orders complete again, and the same for Postgres, with its own crash recovery as
its own log tells it.
"""

import os
import re
import time

from control import ask
from fleet import BenchError
from recovery import kill_under_load, worst_of
from replay import FOLLOWERS

PATIENCE_S = 180         # for the checkpointer to fold a log that has just been made, and for what is saved of it
BEHIND_EVENTS = 20000    # how far it may be behind, beside a tenth: what is newer is not worth one yet
CHECKPOINT = ("select coalesce(max(seq), 0), coalesce(sum(octet_length(records)), 0) from checkpoints "
              "where seq = (select max(seq) from checkpoints)")


def wait_folded(fleet, seq):
    """Until the checkpointer, for which nobody waits who trades, has the log behind it: its work is not that of the orders that follow."""
    end = time.monotonic() + PATIENCE_S
    while ask(fleet, "checkpointer", "stats")["seq"] < seq:
        if time.monotonic() > end:
            raise BenchError("the checkpointer did not fold the log within %d s" % PATIENCE_S)
        time.sleep(0.5)


def _wait_until(figure, seq, name):
    """Until what is saved goes so far."""
    end = time.monotonic() + PATIENCE_S
    while figure()[0] < seq:
        if time.monotonic() > end:
            raise BenchError("%s: nothing was saved of this log within %d s" % (name, PATIENCE_S))
        time.sleep(0.5)


def _checkpoint(fleet):
    """Of the orchestrator: event that the newest goes to, bytes."""
    seq, size = fleet.sql(CHECKPOINT).split("|")
    return int(seq), int(size)


def _snapshot(fleet, name):
    """The same of another follower."""
    path = os.path.join(fleet.home, "state", name + ".snapshot")
    if not os.path.exists(path):
        return 0, 0
    with open(path, "rb") as file:
        return int(re.search(rb" seq=([0-9]+) ", file.readline()).group(1)), os.path.getsize(path)


def _saved(fleet, millions):
    """Sizes of what the processes go on from, once it covers the log; {figure: megabytes}."""
    figures = {"checkpoint_mb": lambda: _checkpoint(fleet), "risk_snapshot_mb": lambda: _snapshot(fleet, "risk"),
               "portfolio_snapshot_mb": lambda: _snapshot(fleet, "portfolio")}
    enough = millions * 1e6 * 0.9 - BEHIND_EVENTS
    for name, figure in figures.items():
        _wait_until(figure, enough, name)
    return {name: round(figure()[1] / 1e6, 3) for name, figure in figures.items()}


def measure(bench, fleet, millions, rate):
    """Rows of one length of the log."""
    log = "%g M events" % millions
    saved = _saved(fleet, millions)
    names = bench.quick(("risk", "postgres"), (*FOLLOWERS, "postgres"))  # Postgres last: then it has most to redo
    killed, report = kill_under_load(bench, fleet, names, rate)
    for row in killed:
        row["case"] = "%s, kill %s" % (log, row["case"])
    return [{"case": "%s, saved" % log, **saved}, *killed, worst_of("%s, every follower" % log, killed[:-1], report)]
