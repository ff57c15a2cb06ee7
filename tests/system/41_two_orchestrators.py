#!/usr/bin/python3
"""Two orchestrators where the fleet file asks for one: the second never takes the lease from a living holder, and whoever
has lost it is gone within a second, also when there is nothing to commit."""
import os
import subprocess
import time

from probe import BASE, SLOW, Client, Database, Fleet, check, check_nothing_lost_or_doubled, ended, wait_until

ROUNDS = 5


def check_seconds(text, times, limit):
    check(f"{text} (slowest {max(times):.2f} s)", max(times) < limit * SLOW, times)


def start_second(fleet, name, runtime):
    """Another orchestrator with the same database: beside the first, or as if on another machine."""
    env = os.environ | fleet.env | {"ZVT_RUNTIME": runtime}
    env.pop("ZVT_READY_FD", None)
    os.makedirs(runtime, mode=0o700, exist_ok=True)
    with open(f"{BASE}/second.log", "w") as log:
        return subprocess.Popen([f"{os.environ['ZVT_BIN']}/zvt-orchestrator", "--name", name], env=env, stderr=log, stdout=log)


def second_ends(fleet, name, runtime):
    """(exit code, seconds, what it said)."""
    began = time.monotonic()
    second = start_second(fleet, name, runtime)
    try:
        code = second.wait(10 * SLOW)
    except subprocess.TimeoutExpired:
        second.kill()
        code = None
    return code, time.monotonic() - began, open(f"{BASE}/second.log").read()


def one_too_many(fleet, database):
    """It leaves by itself, and the one that trades does not even notice."""
    before, client = database("select epoch, holder from writer_lease"), Client(fleet, 100)
    code, took, said = second_ends(fleet, "another", fleet.env["ZVT_RUNTIME"])
    check(f"one that wants the same sockets is refused, exit code 100 ({took:.2f} s)", code == 100 and "another orchestrator" in said, said)
    times = []
    for _ in range(ROUNDS):
        code, took, said = second_ends(fleet, "another", f"{fleet.env['ZVT_RUNTIME']}/elsewhere")
        times.append(took)
        if code != 111 or "has the lease of shard" not in said:
            check("one with sockets of its own leaves with exit code 111", False, f"exit code {code}: {said}")
    check_seconds(f"one with sockets of its own leaves within a second, {ROUNDS} times", times, 1)
    check("the lease has stayed where it was", database("select epoch, holder from writer_lease") == before, before)
    gaps = [b[1] - a[1] for a, b in zip(client.times, client.times[1:])]
    check(f"orders went on all the while (longest pause {1000 * max(gaps):.0f} ms)", max(gaps) < 2 * SLOW, sorted(gaps)[-5:])
    check_nothing_lost_or_doubled(client, database)


def idle_loser(fleet, database):
    """Nothing is committed, so only the heartbeat can tell."""
    times, times_back = [], []
    for _ in range(ROUNDS):
        check_ready = wait_until(10, lambda: fleet.is_trading("orchestrator"))
        pid, began = fleet.pid("orchestrator"), time.monotonic()
        database("update writer_lease set epoch = epoch + 1, holder = 'somebody'")
        gone = wait_until(5, lambda: ended(pid))
        times.append(time.monotonic() - began)
        back = wait_until(10, lambda: fleet.pid("orchestrator") not in (0, pid) and fleet.is_trading("orchestrator"))
        times_back.append(time.monotonic() - began)
        if not (check_ready and gone and back):
            check("it leaves, and the supervisor's next one takes the lease of the dead", False, (check_ready, gone, back))
    check_seconds(f"an idle orchestrator that lost the lease is gone within a second, {ROUNDS} times", times, 1)
    check_seconds("and one takes its place", times_back, 3)


def main():
    with Fleet() as fleet:
        database = Database(fleet.env["DATABASE_URL"])
        one_too_many(fleet, database)
        idle_loser(fleet, database)
        fleet.verify()


main()
