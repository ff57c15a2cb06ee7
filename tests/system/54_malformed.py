#!/usr/bin/python3
# run/test: alone
"""Malformed frames on every socket of every process while orders flow, connections that never speak or stop in the middle,
and frames that lie about their size: what is wrong is counted, nobody dies or grows, and no order is disturbed."""
import os
import sys

import zmq

import garbage
from disturb import THROWS_HZ, Thrower
from traffic import Trader, check, check_latency, counter, fleet, processes, rss_kb, start_fleet, verify
from wire import wait_until

GROWTH_MB_MAX = 48
HOLD_S = 8          # longer than the 3 s that a handshake may take


def descriptors(pid):
    return len(os.listdir(f"/proc/{pid}/fd"))


def alive(before):
    after = processes()
    return [name for name in before if after.get(name, {}).get("pid") != before[name]["pid"]]


def test_all_of_it(trader, names, before):
    sent, sizes = len(trader.ended), {name: rss_kb(p["pid"]) for name, p in before.items()}
    malformed = {name: counter(name, "malformed") for name in before}
    context = zmq.Context()
    for name in names:
        garbage.throw(context, name, slowly=True)
    check(f"malformed frames on each of {len(names)} sockets kill nobody", alive(before) == [], alive(before))
    check("everybody answers after it", all(counter(name, "messages") > 0 for name in before))

    def silent():
        return [name for name in before if counter(name, "malformed") == malformed[name]]

    check("every process counts what it could not read", wait_until(20, lambda: silent() == []), silent())
    grown = {name: (rss_kb(p["pid"]) - sizes[name]) // 1024 for name, p in before.items()}
    check(f"nobody grows by what a frame claims (at most {max(grown.values())} MB)", all(mb <= GROWTH_MB_MAX for mb in grown.values()), grown)
    check("orders complete meanwhile", wait_until(20, lambda: len(trader.ended) > sent + 100), len(trader.ended) - sent)


def test_half_connections(names, before):
    open_before = {name: descriptors(p["pid"]) for name, p in before.items()}
    held = garbage.hold_open(names, HOLD_S)
    check(f"{held} connections that never finish a handshake or a frame kill nobody", alive(before) == [], alive(before))

    def gone():
        return all(descriptors(p["pid"]) <= open_before[name] + 2 for name, p in before.items())

    check("and leave no descriptor behind", wait_until(30, gone, every_s=0.5),
          {name: descriptors(p["pid"]) - open_before[name] for name, p in before.items()})


def main():
    try:
        start_fleet("--seed", "8")
        names = garbage.sockets()
        ours = [name.removeprefix("control.") for name in names if name.startswith("control.")]
        before = {name: process for name, process in processes().items() if name in ours}
        check(f"there are control sockets of {len(ours)} processes, and each other kind", len(ours) == len(before) >= 10 and
              {"request", "signals", "events", "risk", "execute", "portfolio", "replay", "feed.alpha", "market.alpha", "order-entry.alpha",
               "venue.alpha"} <= set(names), names)
        thrower, trader = Thrower(names), Trader("honest", rate_hz=100)
        test_all_of_it(trader, names, before)
        test_half_connections(names, before)
        check_latency(trader, "beside malformed frames", thrower.begin, thrower.end, pace=(thrower.done, THROWS_HZ / 2))
        last = trader.stop()
        check(f"each of {last['sent']} orders was completed", trader.outcomes() == {"completed": last["sent"]}, (last, trader.outcomes()))
        check("verify passes", *verify())
    finally:
        fleet("down", "--wipe", "--yes", may_fail=True)


if __name__ == "__main__":
    sys.exit(main())
