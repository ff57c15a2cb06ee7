#!/usr/bin/python3
"""A fleet with a standby: whatever is done to the orchestrator that works, the other one goes on, clients and strategies
find it, and a halt stays a halt."""
import json
import os
import signal
import subprocess
import time

from probe import CHECKOUT, HOME, SLOW, Client, Database, Fleet, check, check_epochs, check_nothing_lost_or_doubled, ended, summary, wait_until

PAIR, TAKEOVER_MS, RATE, ROUNDS = ("orchestrator", "orchestrator-2"), 500, 60, 6
STRATEGY_ORDERS = "select count(*) from events e join event_batches b on e.seq between b.first_seq and b.last_seq" \
                  " where e.type = (select distinct type from event_schema where event_type = 'order.requested')" \
                  " and b.epoch = (select epoch from writer_lease) and zvt_event_data(e.type, e.payload) ->> 'sender'"


def roles(fleet):
    """(who works, who waits), when it is so."""
    states = {name: fleet.state(name) for name in PAIR}
    if sorted(states.values()) != ["standby", "trading"]:
        return None
    return sorted(PAIR, key=lambda name: states[name] != "trading")


def settled(fleet):
    wait_until(20, lambda: roles(fleet) is not None)
    return roles(fleet) or PAIR


def kills(fleet, client):
    recovered = []
    for _ in range(ROUNDS):
        works, _ = settled(fleet)
        began = time.monotonic()
        os.kill(fleet.pid(works), signal.SIGKILL)
        recovered.append(client.recovered_ms(began, 15) or float("inf"))
    check(f"the one that works is killed {ROUNDS} times: trading again in less than a second ({summary(recovered)})", max(recovered) < 1000 * SLOW, recovered)


def stops(fleet, client, database):
    recovered, leaving = [], []
    for _ in range(ROUNDS):
        works, waits = settled(fleet)
        pid, began = fleet.pid(works), time.monotonic()
        os.kill(pid, signal.SIGSTOP)
        recovered.append(client.recovered_ms(began, 15) or float("inf"))
        if not wait_until(5, lambda: fleet.is_trading(waits)):
            check("the one that waited works", False, fleet.state(waits))
        os.kill(pid, signal.SIGCONT)
        woken = time.monotonic()
        wait_until(5, lambda: ended(pid))
        leaving.append((time.monotonic() - woken) * 1000)
        if not wait_until(5, lambda: fleet.state(works) == "standby"):
            check("the one that was stopped is the standby now", False, fleet.state(works))
    check(f"the one that works is stopped {ROUNDS} times: the other trades ({summary(recovered)}, of which {TAKEOVER_MS} ms are patience)",
          max(recovered) < (TAKEOVER_MS + 1500) * SLOW, recovered)
    check(f"it leaves within a second when it goes on ({summary(leaving)}), and comes back as the standby", max(leaving) < 1000 * SLOW, leaving)
    for text, sender in (("strategies have found the new one", "not in ('', 'snake')"), ("and so has the one in Python", "= 'snake'")):
        check(text, wait_until(60, lambda: database.number(f"{STRATEGY_ORDERS} {sender}") > 0), database("select epoch, holder from writer_lease"))


def woken(fleet, client):
    """The one that was stopped goes on just when its successor dies, or when Postgres restarts: it may have the lease again,
    but its endpoints were taken from it, so it leaves and comes back with fresh ones."""
    recovered, order = {"kill": [], "restart": []}, ("order", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", "0.01", "--json")
    for what, rounds in (("kill", ROUNDS), ("restart", 2)):
        for _ in range(rounds):
            works, waits = settled(fleet)
            pid = fleet.pid(works)
            os.kill(pid, signal.SIGSTOP)
            if not wait_until(5, lambda: fleet.is_trading(waits)):
                check("the one that waited works", False, fleet.state(waits))
            victim, number = (fleet.pid(waits), signal.SIGKILL) if what == "kill" else (fleet.pid("postgres"), signal.SIGQUIT)
            began = time.monotonic()
            os.kill(victim, number)
            os.kill(pid, signal.SIGCONT)
            recovered[what].append(client.recovered_ms(began, 15) or float("inf"))
            done = json.loads(fleet(*order, may_fail=True) or "{}")
            if not done.get("success"):
                check("a client that connects anew reaches the one that works", False, done)
    check(f"one that was stopped wakes up when its successor is killed, {ROUNDS} times: trading again in less than the patience and a second "
          f"({summary(recovered['kill'])})", max(recovered["kill"]) < (TAKEOVER_MS + 1000) * SLOW, recovered)
    check(f"or when Postgres restarts: in less than five seconds ({summary(recovered['restart'])})", max(recovered["restart"]) < 5000 * SLOW, recovered)


def down_for_good(fleet, client):
    """Its service is stopped, so that nobody but the standby can go on."""
    works, waits = settled(fleet)
    service, began = f"{HOME}/s6/services/{works}", time.monotonic()
    subprocess.run(["s6-svc", "-d", service], check=True)
    recovered = client.recovered_ms(began, 15) or float("inf")
    check(f"its service is taken down: the standby trades ({recovered:.0f} ms)", recovered < 2000 * SLOW and
          wait_until(5, lambda: fleet.is_trading(waits)), fleet.state(waits))
    subprocess.run(["s6-svc", "-u", service], check=True)


def both_at_once(fleet, client):
    settled(fleet)
    began = time.monotonic()
    for name in PAIR:
        os.kill(fleet.pid(name), signal.SIGKILL)
    recovered = client.recovered_ms(began, 15) or float("inf")
    check(f"both are killed at once: trading again in less than two seconds ({recovered:.0f} ms)", recovered < 2000 * SLOW)


def database_restarts(fleet, client, database):
    """Both lose their connections. Whoever worked should go on working; that the other is quicker to come back is possible."""
    settled(fleet)
    began = time.monotonic()
    os.kill(fleet.pid("postgres"), signal.SIGQUIT)
    recovered = client.recovered_ms(began, 30) or float("inf")
    check(f"Postgres restarts: one goes on ({recovered:.0f} ms), one waits", recovered < 15000 * SLOW and wait_until(20, lambda: roles(fleet) is not None),
          [fleet.state(name) for name in PAIR])


def halt_is_handed_over(fleet, client):
    works, waits = settled(fleet)
    fleet("halt", "--reason", "test")
    os.kill(fleet.pid(works), signal.SIGSTOP)
    pid = fleet.pid(works)
    check("the standby is halted as its predecessor was", wait_until(15, lambda: fleet.state(waits) == "halted"), fleet.state(waits))
    os.kill(pid, signal.SIGCONT)
    wait_until(5, lambda: ended(pid))
    fleet("resume")
    began = time.monotonic()
    check("and resumes", client.recovered_ms(began, 15) is not None, {name: fleet.state(name) for name in PAIR})


def resume_is_final(fleet, client, database):
    """The standby is started anew while trading is halted, so that it knows of the halt; what it knows must not outlive the resume."""
    works, waits = settled(fleet)
    fleet("halt", "--reason", "lunch")
    pid = fleet.pid(waits)
    os.kill(pid, signal.SIGKILL)
    check("the standby comes back while trading is halted", wait_until(15, lambda: fleet.pid(waits) not in (0, pid) and fleet.state(waits) == "standby"),
          fleet.state(waits))
    fleet("resume")
    check("a resume is told to the standby as well", wait_until(5, lambda: not fleet.control(waits, "stats", 1000)["halted"]))
    began = time.monotonic()
    os.kill(fleet.pid(works), signal.SIGKILL)
    recovered = client.recovered_ms(began, 15) or float("inf")
    check(f"a resumed halt does not come back with the standby: it trades ({recovered:.0f} ms)", recovered < 1000 * SLOW, fleet.state(waits))
    switches = database("select event_type from event_store where event_type in ('risk.halted', 'risk.resumed') order by seq")
    check("each halt in the log was asked for, and resumed", switches == ["risk.halted", "risk.resumed"] * 2, switches)


def main():
    with Fleet(strategies=True, standby="yes", takeover_ms=TAKEOVER_MS) as fleet:
        database, client = Database(fleet.env["DATABASE_URL"]), Client(fleet, RATE)
        check("one trades, one waits", wait_until(20, lambda: roles(fleet) is not None), [fleet.state(name) for name in PAIR])
        fleet("attach", f"{CHECKOUT}/strategy/examples/momentum.py", "--name", "snake", "--set", "ticks=1", "--set", "cooldown_ms=100")
        check("the first one goes first", roles(fleet) == list(PAIR), roles(fleet))
        shown = {row["name"]: row["state"] for row in json.loads(fleet("status", "--json"))["processes"]}
        check("status shows who waits", [shown[name] for name in PAIR] == ["running", "standby"], shown)
        kills(fleet, client)
        stops(fleet, client, database)
        woken(fleet, client)
        down_for_good(fleet, client)
        both_at_once(fleet, client)
        database_restarts(fleet, client, database)
        settled(fleet)
        check_nothing_lost_or_doubled(client, Database(fleet.env["DATABASE_URL"]))
        halted = Client(fleet, 5)
        halt_is_handed_over(fleet, halted)
        resume_is_final(fleet, halted, Database(fleet.env["DATABASE_URL"]))
        halted.finish()
        check_epochs(Database(fleet.env["DATABASE_URL"]))
        fleet.verify()


main()
