#!/usr/bin/python3
# run/test: alone
"""A strategy that has lost its mind sends 10,000 signals a second: what exceeds its rate is refused with a reason and leaves
no trace in the log, memory stays as it is, nobody else's orders take longer, and a second after it has come to its senses
its orders are taken again. The same when it calls itself by another name in each signal, with the names that a sender may
bring as the limit."""
import json
import multiprocessing
import os
import signal
import sys
import time
import uuid

import msgpack
import zmq

from traffic import (ACK, BUY, E8, IOC, MARKET, OK, SECOND_NS, SIGNAL, SIGNAL_RATE, Trader, check, check_latency, connect,
                     counter, fleet, processes, records, rss_kb, sql, start_fleet, verify, wait_until)

RATE_HZ = 10000
LIMIT_HZ = 20      # what risk lets a strategy do in this fleet; the orchestrator hears 26 of it
HEARD_HZ = 26
GROWTH_MB_MAX = 40
NAMES_MAX = 1024   # strategies that a sender may bring at once ..
NAME_S = 4         # .. and seconds until it may bring another


class Runaway:
    """In a process of its own. `pace`: signals a second; `obeyed`: the one it runs at; `rotating`: each under another
    strategy's name; the others are its counts of signals sent and answered."""

    def __init__(self):
        context = multiprocessing.get_context("fork")
        self.pace, self.obeyed, self.rotating = (context.Value("i", 0) for _ in range(3))
        self.sent, self.accepted, self.over_rate, self.other = (context.Value("q", 0) for _ in range(4))
        self.process = context.Process(target=self.main, daemon=True)
        self.process.start()

    def main(self):
        signal.signal(signal.SIGINT, signal.SIG_IGN)
        os.nice(10)  # it is what the fleet does that is measured, not who else needs the processor
        context, run, number = zmq.Context(), time.time_ns(), 0
        push, acks = connect(context, zmq.PUSH, "signals"), connect(context, zmq.SUB, "events", ["ack.runaway"])
        begun_ns, pace, due = time.monotonic_ns(), 0, 0
        while True:
            if self.pace.value != pace:
                begun_ns, pace, due = time.monotonic_ns(), self.pace.value, 0
            owed = (time.monotonic_ns() - begun_ns) * pace // SECOND_NS - due
            for _ in range(min(owed, 200)):
                number += 1
                terms = ["SOL/USDT", BUY, MARKET, IOC, False, E8 // 10, 0, 0, "beta", time.time_ns() + 60 * SECOND_NS]
                strategy = f"runaway-{number}" if self.rotating.value else "runaway"
                push.send(msgpack.packb([SIGNAL, uuid.uuid4().bytes, "runaway", run, number, strategy, "main", terms, E8, 0]))
            due += min(owed, 200)
            self.sent.value, self.obeyed.value = number, pace
            while acks.poll(0):
                for ack in records(acks.recv_multipart()[1]):
                    counts = {OK: self.accepted, SIGNAL_RATE: self.over_rate}.get(ack[6], self.other) if ack[0] == ACK else self.other
                    counts.value += 1
            time.sleep(0.001)

    def answered(self):
        return self.accepted.value + self.over_rate.value + self.other.value

    def run_for(self, seconds, pace):
        """Runs at this pace and waits for the answers: signals sent, accepted, refused for the rate, other answers."""
        before = [v.value for v in (self.sent, self.accepted, self.over_rate, self.other)]
        self.pace.value = pace
        time.sleep(seconds)  # the length of the run
        self.pace.value = 0
        wait_until(20, lambda: self.obeyed.value == 0 and self.answered() >= self.sent.value)
        return [v.value - b for v, b in zip((self.sent, self.accepted, self.over_rate, self.other), before)]


def requested():
    return int(sql("select count(*) from event_store where event_type = 'order.requested' and event_data->>'sender' = 'runaway'"))


def test_refusal(runaway):
    names = ["orchestrator", "risk", "executor", "portfolio"]
    listed, seconds = processes(), 10
    before = {n: rss_kb(listed[n]["pid"]) for n in names}
    for _ in range(3):  # it takes what is left of the machine, and that has to be enough for this rate
        logged = requested()
        sent, accepted, over_rate, other = runaway.run_for(seconds, RATE_HZ)
        if sent >= 0.8 * seconds * RATE_HZ:
            break
    grown = {n: (rss_kb(listed[n]["pid"]) - before[n]) // 1024 for n in names}
    check(f"it sent {sent / seconds:.0f} signals a second", sent >= 0.8 * seconds * RATE_HZ)
    check("each of them was answered", accepted + over_rate + other == sent, (sent, accepted, over_rate, other))
    heard = HEARD_HZ * (seconds + 2)
    check(f"{accepted} were taken, {over_rate} refused as SIGNAL_RATE, {other} otherwise", accepted <= heard and other == 0 and over_rate > 0.9 * sent, f"at most {heard} may be taken")
    check("the log holds what was taken and no trace of a refusal", requested() - logged == accepted, requested() - logged)
    counted = counter("orchestrator", "signals_over_rate")
    check("the orchestrator counts them", counted >= over_rate, counted)
    check(f"memory stays as it is: grown by {grown} MB", all(mb <= GROWTH_MB_MAX for mb in grown.values()), grown)


def order_of(strategy):
    """What becomes of an order that is asked for by command."""
    answer = fleet("order", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", "0.01", "--strategy", strategy, "--json", may_fail=True)
    return json.loads(answer)["state"]


def test_rotation(runaway, trader):
    """Each signal under another name: what it may bring at once is taken, and all else refused."""
    seconds, pace, logged, begun_ns = 10, 3000, requested(), time.monotonic_ns()
    runaway.rotating.value = 1
    sent, accepted, over_rate, other = runaway.run_for(seconds, pace)
    check(f"it sent {sent / seconds:.0f} signals a second, each for another strategy", sent >= 0.8 * seconds * pace)
    check(f"{accepted} were taken, {over_rate} refused as SIGNAL_RATE, {other} otherwise",
          0 < accepted <= NAMES_MAX + seconds / NAME_S + 2 and other == 0 and accepted + over_rate == sent, sent)
    check("the log holds what was taken and no trace of a refusal", requested() - logged == accepted, requested() - logged)
    check("a strategy that nobody has heard of is heard", order_of("brand-new") == "filled")
    wait_until(10, lambda: trader.last_end_ns() > time.monotonic_ns() - SECOND_NS // 5)
    outcomes = trader.outcomes(begun_ns, time.monotonic_ns() - SECOND_NS)
    check("every order of the other strategies was completed meanwhile", list(outcomes) == ["completed"], outcomes)
    check("the orchestrator counts the refused names", counter("orchestrator", "strategies_refused") >= over_rate)


def test_healing(runaway):
    runaway.rotating.value = 0
    time.sleep(1)  # how long an empty bucket takes to fill
    sent, accepted, over_rate, other = runaway.run_for(2, LIMIT_HZ // 2)
    check(f"a second after it has stopped, its orders are taken again ({accepted} of {sent})", accepted == sent and sent > 0, (over_rate, other))


def main():
    try:
        start_fleet("--seed", "6", config={"max_orders_per_second = 200 ": f"max_orders_per_second = {LIMIT_HZ} "})
        runaway, trader = Runaway(), Trader("honest", rate_hz=100, ids=20)
        wait_until(20, lambda: len(trader.ended) > 300)
        test_refusal(runaway)
        test_healing(runaway)

        def begin():
            runaway.pace.value = RATE_HZ

        def end():
            runaway.pace.value = 0

        check_latency(trader, "beside a runaway strategy", begin, end)
        test_healing(runaway)
        test_rotation(runaway, trader)
        check_latency(trader, "beside a sender that changes its name", begin, end)
        runaway.rotating.value = 0
        time.sleep(NAME_S)  # its own name has left for the many that it has brought
        test_healing(runaway)
        last = trader.stop()
        check(f"each of {last['sent']} orders of the other strategy was completed", trader.outcomes() == {"completed": last["sent"]},
              (last, trader.outcomes()))
        check("verify passes", *verify())
    finally:
        fleet("down", "--wipe", "--yes", may_fail=True)


if __name__ == "__main__":
    sys.exit(main())
