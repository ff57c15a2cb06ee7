#!/usr/bin/python3
# run/test: first
"""The database goes away under load: Postgres restarts immediately 20 times, all of it is stopped for a while, and the
writer's connection is cut around COMMIT 100 times. Orders wait or are refused meanwhile, none is lost or doubled, and trading
goes on by itself."""
import json
import os
import signal
import socket
import struct
import subprocess
import sys
import time
from urllib.parse import parse_qs, urlparse

from probe import BASE, CHECKOUT, HOME, SLOW, Client, Database, Fleet, check, check_epochs, check_nothing_lost_or_doubled, summary, wait_until

RESTARTS, STOPPED_SECONDS, CUTS, RATE = 20, 12, 100, 50
NEVER_SENT = "the venue never had it and never will"  # TOMBSTONED, or STALE when the request has expired as well
WAYS = ("before", "during", "after", "answered")


def pg_folder(url):
    return parse_qs(urlparse(url).query)["host"][0]


def accepts(folder):
    """True when Postgres takes a connection: its first answer is no error."""
    fields = b"user\0zvt_app\0database\0zvt\0\0"
    try:
        with socket.socket(socket.AF_UNIX, socket.SOCK_STREAM) as opened:
            opened.settimeout(1)
            opened.connect(f"{folder}/.s.PGSQL.5432")
            opened.sendall(struct.pack("!ii", 8 + len(fields), 196608) + fields)
            return opened.recv(1) == b"R"
    except OSError:
        return False


def restart_immediately(fleet, client):
    """(ms that Postgres was away, ms from its return to the completion of an order submitted after the incident)."""
    folder, pid = pg_folder(fleet.env["DATABASE_URL"]), fleet.pid("postgres")
    began = time.monotonic()
    os.kill(pid, signal.SIGQUIT)
    wait_until(10, lambda: fleet.pid("postgres") not in (0, pid))
    wait_until(30, lambda: accepts(folder))
    returned = time.monotonic()
    recovered = client.recovered_ms(began, 30)
    return (returned - began) * 1000, float("inf") if recovered is None else max(0, began * 1000 + recovered - returned * 1000)


def restarts(fleet):
    client = Client(fleet, RATE)
    client.recovered_ms(time.monotonic(), 20)
    rounds = [restart_immediately(fleet, client) for _ in range(RESTARTS)]
    away, recovered = [r[0] for r in rounds], [r[1] for r in rounds]
    check(f"trading within 2 s of the return of Postgres, {RESTARTS} times ({summary(recovered)}; it was away for {summary(away)})",
          max(recovered) < 2000 * SLOW, rounds)
    stopped_for_a_while(fleet, client)
    database = Database(fleet.env["DATABASE_URL"])
    # An order that is caught before it leaves at each of its three attempts fails for good, and says so.
    check_nothing_lost_or_doubled(client, database, may_end=(NEVER_SENT,))
    return database


def stopped_for_a_while(fleet, client):
    """Every process of Postgres: connections stay, and nothing answers on them."""
    postmaster = fleet.pid("postgres")
    pids = [postmaster, *map(int, subprocess.run(["pgrep", "-P", str(postmaster)], capture_output=True, text=True).stdout.split())]
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    end, slowest, states = time.monotonic() + STOPPED_SECONDS, 0.0, []
    while time.monotonic() < end:
        asked = time.monotonic()
        states.append(fleet.state("orchestrator"))
        slowest = max(slowest, time.monotonic() - asked)
        time.sleep(0.05)
    began = time.monotonic()
    for pid in pids:
        os.kill(pid, signal.SIGCONT)
    recovered = client.recovered_ms(began, 30) or float("inf")
    check(f"Postgres is stopped for {STOPPED_SECONDS} s: the orchestrator answers all the while (slowest {slowest * 1000:.0f} ms)",
          slowest < 1 * SLOW and "silent" not in states, (slowest, sorted(set(states))))
    check("and says that it is degraded", states[-1] == "degraded", states[-1])
    check(f"trading within 2 s of its going on ({recovered:.0f} ms)", recovered < 2000 * SLOW, recovered)


class Proxy:
    """tests/chaos/pgproxy.py between the orchestrator and Postgres."""

    def __init__(self, fleet):
        url = fleet.env["DATABASE_URL"]
        folder = f"{BASE}/pg"
        os.makedirs(folder)
        self.process = subprocess.Popen([sys.executable, f"{CHECKOUT}/tests/chaos/pgproxy.py", f"{folder}/.s.PGSQL.5432", f"{pg_folder(url)}/.s.PGSQL.5432"],
                                        stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True, bufsize=1)
        wait_until(5, lambda: os.path.exists(f"{folder}/.s.PGSQL.5432"))
        run = f"{HOME}/s6/services/orchestrator/run"
        with open(run) as script:
            lines = script.read().splitlines()
        lines.insert(len(lines) - 1, f"export DATABASE_URL='{url.replace(pg_folder(url), folder)}'")
        with open(run, "w") as script:
            script.write("\n".join(lines) + "\n")
        fleet("restart", "orchestrator")

    def cut(self, way):
        """Cuts the next commit; when it did, on the monotonic clock."""
        self.process.stdin.write(f"cut {way}\n")
        return json.loads(self.process.stdout.readline())["ns"] / 1e9

    def end(self):
        self.process.stdin.close()
        self.process.wait()


def cuts(fleet, database):
    proxy = Proxy(fleet)
    client = Client(fleet, RATE)
    client.recovered_ms(time.monotonic(), 20)
    before, pid = database.number("select epoch from writer_lease"), fleet.pid("orchestrator")
    recovered = []
    for number in range(CUTS):
        recovered.append(client.recovered_ms(proxy.cut(WAYS[number % len(WAYS)]), 15) or float("inf"))
    check(f"the connection was cut around COMMIT {CUTS} times, and trading went on ({summary(recovered)})", max(recovered) < 2000 * SLOW, recovered)
    after = database.number("select epoch from writer_lease")
    check("each time under a new epoch, in the same process", after >= before + CUTS and fleet.pid("orchestrator") == pid,
          f"epoch {before}, then {after}; pid {pid}, then {fleet.pid('orchestrator')}")
    # An order whose way to the venue was cut off three times is given up, for good: the venue will not take it any more.
    check_nothing_lost_or_doubled(client, database, may_end=(NEVER_SENT,))
    check_epochs(database)
    fleet.verify()
    return proxy


def main():
    with Fleet() as fleet:
        database = restarts(fleet)
        proxy = cuts(fleet, database)
    proxy.end()


main()
