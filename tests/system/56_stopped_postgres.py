#!/usr/bin/python3
"""Postgres does not answer: orders are refused with a reason at once, clients that wait are told at the end of their time, a
halt is in force, and the fleet trades again as soon as the log takes events. Once the log is given up, lists are errors."""
import json
import os
import signal
import subprocess
import sys
import time

import msgpack
import zmq

from traffic import CHECKOUT, HOME, Trader, ask, check, fleet, pids_of_postgres, sql, start_fleet, verify
from wire import BUY, COMMAND_REPLY, E8, IOC, LOG_UNAVAILABLE, MARKET, PLACE, SLOW, connect, records, wait_until

FILLED, HALT_REQUEST = 3, 144
RESUME = [HALT_REQUEST, False, "tester", ""]
PATIENCE_MS = 3000
KNOWN_NS = 1_500_000_000  # from then on the commit under way has lasted too long


def place(request_id, timeout_ms=PATIENCE_MS):
    terms = ["SOL/USDT", BUY, MARKET, IOC, False, E8, 0, 0, "", 0]
    return [PLACE, request_id, "tester", "patient", "main", terms, FILLED, timeout_ms, time.time_ns()]


def timed(action):
    began = time.monotonic()
    return action(), time.monotonic() - began


def order_by_command():
    """The command line's answer."""
    return json.loads(fleet("order", "--symbol", "SOL/USDT", "--side", "buy", "--quantity", "1", "--timeout", "3", "--json", may_fail=True) or "{}")


def answer(*words):
    """Exit code, output and errors of a command."""
    done = subprocess.run([f"{CHECKOUT}/run/fleet", "--home", HOME, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=60)
    return done.returncode, done.stdout, done.stderr


def status():
    return json.loads(answer("status", "--json")[1])["fleet"]


def lists_without_the_log():
    """The orchestrator has given the log up and forgotten what it held: no list is empty and successful then."""
    rests = json.loads(fleet("order", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", "0.01", "--price", "58000", "--json"))
    check("an order rests", rests["state"] == "accepted" and status()["open_orders"] == 1, rests)
    postgres = pids_of_postgres()
    for pid in postgres:
        os.kill(pid, signal.SIGSTOP)
    check("a database that stays silent is given up", wait_until(30, lambda: status()["log_away"] is not None), status())
    for words in (("orders", "--open"), ("orders", "--open", "--json"), ("orders", "--unknown"), ("dead-letters",), ("dead-letters", "--json")):
        code, said, error = answer(*words)
        check(f"{' '.join(words)} is an error that says why", code == 1 and said == "" and "LOG_UNAVAILABLE" in error and "(event log: " in error,
              (code, said, error))
    shown = status()
    check("status knows no numbers", all(shown[key] is None for key in ("seq", "open_orders", "open_sagas", "unknown_orders")), shown)
    said = answer("status")[1]
    check("and shows none", "open orders -" in said and "the event log is away" in said, said)
    for pid in postgres:
        os.kill(pid, signal.SIGCONT)
    check("with the log back, the order is listed", wait_until(30, lambda: rests["order_id"] in answer("orders", "--open", "--json")[1]))


def main():
    context = zmq.Context()
    try:
        start_fleet("--seed", "10")
        trader = Trader("honest", rate_hz=50, lifetime_s=2)
        check("orders complete", wait_until(20, lambda: len(trader.ended) > 100))
        postgres = pids_of_postgres()
        check("there is a Postgres to stop", len(postgres) > 3, postgres)
        for pid in postgres:
            os.kill(pid, signal.SIGSTOP)
        stopped_ns = time.monotonic_ns()
        caught = connect(context, zmq.DEALER, "request")
        caught.send(msgpack.packb(place("caught")))  # before anybody can know
        said, waited = timed(lambda: records(caught.recv())[0] if caught.poll(10000) else None)
        check(f"an order that was caught by it is told so at the end of its time ({waited:.2f} s of {PATIENCE_MS / 1000} s)",
              said is not None and said[6] == LOG_UNAVAILABLE and waited < PATIENCE_MS / 1000 + 0.5 * SLOW, said)
        said, waited = timed(lambda: ask(context, "request", place("refused")))
        check(f"the next one is refused with LOG_UNAVAILABLE after {waited * 1000:.0f} ms", said is not None and said[6] == LOG_UNAVAILABLE and
              not said[2] and waited < 0.5 * SLOW, said)
        code, said, error = answer("adjust", "--strategy", "desk", "--symbol", "SOL/USDT", "--quantity", "1", "--price", "100", "--reason", "by phone")
        check("an adjustment by hand is refused with LOG_UNAVAILABLE too", code == 1 and "LOG_UNAVAILABLE" in said, (code, said, error))
        said, waited = timed(order_by_command)
        check(f"fleet order says the same after {waited:.2f} s", said.get("code") == "LOG_UNAVAILABLE" and waited < 3 * SLOW, said)
        said, waited = timed(lambda: ask(context, "request", [HALT_REQUEST, True, "tester", "the log does not answer"]))
        check(f"a halt is in force and answered after {waited * 1000:.0f} ms", said is not None and said[:2] == [COMMAND_REPLY, True] and waited < 1.5 * SLOW, said)
        said, waited = timed(lambda: ask(context, "request", RESUME))
        check(f"a resume, which must be durable, is refused after {waited * 1000:.0f} ms",
              said is not None and said[:2] == [COMMAND_REPLY, False] and waited < 0.5 * SLOW, said)
        resumed_ns = time.monotonic_ns()
        for pid in postgres:
            os.kill(pid, signal.SIGCONT)
        check("with the log back, the halt is recorded and can be ended",
              wait_until(20, lambda: (ask(context, "request", RESUME) or [0, 0])[:2] == [COMMAND_REPLY, True]))
        switches = sql("select event_type from event_store where event_type in ('risk.halted', 'risk.resumed') order by seq").split()
        check("it is in the log", switches == ["risk.halted", "risk.resumed"], switches)
        back = trader.wait_for_completion(resumed_ns, 20)
        check(f"orders complete {back:.2f} s after Postgres goes on" if back else "orders complete again", back is not None and back < 2 * SLOW, back)
        states = sql("select event_type from event_store where event_data->>'request_id' in ('caught', 'refused')").split()
        check("the caught order is in the log once, the refused one is not", states == ["order.requested"], states)
        check("the refused adjustment is not in the log", sql("select count(*) from event_store where event_type = 'position.adjusted'") == "0")
        last = trader.stop()
        outcomes = trader.outcomes(stopped_ns + KNOWN_NS, resumed_ns)
        check(f"a strategy's orders were put off with LOG_UNAVAILABLE meanwhile: {outcomes}",
              outcomes.get(f"put off {LOG_UNAVAILABLE}", 0) > 0 and "unanswered" not in outcomes and last["open"] == [], last)
        lists_without_the_log()
        check("verify passes", *verify())
    finally:
        for pid in pids_of_postgres():
            os.kill(pid, signal.SIGCONT)
        fleet("down", "--wipe", "--yes", may_fail=True)


if __name__ == "__main__":
    sys.exit(main())
