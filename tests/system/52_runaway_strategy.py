#!/usr/bin/python3
# run/test: alone
"""A strategy that has lost its mind sends 10,000 signals a second: what exceeds its rate is refused with a reason and leaves
no trace in the log, memory stays as it is, nobody else's orders take longer, and a second after it has come to its senses
its orders are taken again. The same when it calls itself by another name in each signal, with the names that a sender may
bring as the limit."""
import json
import sys
import time

from disturb import Runaway
from traffic import Trader, check, check_latency, counter, fleet, processes, rss_kb, sql, start_fleet, verify
from wire import SECOND_NS, wait_until

RATE_HZ = 10000
LIMIT_HZ = 20      # what risk lets a strategy do in this fleet; the orchestrator hears 26 of it
HEARD_HZ = 26
GROWTH_MB_MAX = 40
NAMES_MAX = 1024   # strategies that a sender may bring at once ..
NAME_S = 4         # .. and seconds until it may bring another


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


def compare(runaway, trader, what):
    """With rounds in which it talks as much to somebody else: what the fleet does to others is judged, not that a processor is busy."""
    runaway.divert()
    time.sleep(1)  # so that the first round is like the others
    check_latency(trader, what, runaway.begin, runaway.divert, pace=(runaway.done, 0.8 * RATE_HZ))
    runaway.end()
    check(f"and in the rounds without, {runaway.diverted_hz():.0f} times a second to a stranger", runaway.diverted_hz() >= 0.8 * RATE_HZ)


def test_healing(runaway):
    runaway.rotating.value = 0
    time.sleep(1)  # how long an empty bucket takes to fill
    sent, accepted, over_rate, other = runaway.run_for(2, LIMIT_HZ // 2)
    check(f"a second after it has stopped, its orders are taken again ({accepted} of {sent})", accepted == sent and sent > 0, (over_rate, other))


def main():
    try:
        start_fleet("--seed", "6", config={"max_orders_per_second = 200 ": f"max_orders_per_second = {LIMIT_HZ} "})
        runaway, trader = Runaway(RATE_HZ), Trader("honest", rate_hz=100, ids=20)
        wait_until(20, lambda: len(trader.ended) > 300)
        test_refusal(runaway)
        test_healing(runaway)
        compare(runaway, trader, "beside a runaway strategy")
        test_healing(runaway)
        test_rotation(runaway, trader)
        compare(runaway, trader, "beside a sender that changes its name")
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
