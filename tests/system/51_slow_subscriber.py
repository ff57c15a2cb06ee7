#!/usr/bin/python3
# run/test: alone
"""Peers that stop reading: a `tail` that is stopped, subscribers of the log and of market data that never read, clients
that ask and never take their answers. Memory stays bounded, nobody else's orders take longer, and who reads again has
everything."""
import os
import signal
import subprocess
import sys
import time

import zmq

from disturb import ASKS_HZ, SUBSCRIBERS, Mute, Silent, Subscribers
from traffic import Trader, check, check_latency, counter, fleet, note, processes, rss_kb, sql, start_fleet, verify
from wire import E8, wait_until

GROWTH_MB_MAX = 64     # of a process by subscribers: 2,000 messages of a few KB for each of them
CLIENT_MB_MAX = 40     # of a process by one client: 500 answers of 64 KiB
OUTPUT = os.path.join(os.environ["ZVT_TEST_BASE"], "tail.jsonl")


def sizes(names):
    listed = processes()
    return {name: rss_kb(listed[name]["pid"]) // 1024 for name in names}


def growth(before, after):
    return {name: after[name] - before[name] for name in before}


def start_tail():
    output = open(OUTPUT, "w")
    first = int(sql("select max(seq) from events"))
    tail = subprocess.Popen([os.path.join(os.environ["ZVT_BIN"], "zvt-monitor"), "tail", "--json", "--since", str(first)], stdout=output)
    wait_until(10, lambda: os.path.getsize(OUTPUT) > 0)
    return tail, first


def tail_is_complete(first):
    """Every event from `first` to the end of the log, once and in order: what the tail wrote against the table. The file
    grows meanwhile: read at once, because by lines one may come in two halves."""
    last = int(sql("select max(seq) from events"))
    with open(OUTPUT) as file:
        lines = file.read().split("\n")[:-1]
    seqs = [int(line[line.index('"seq": ') + 7:line.index(",", line.index('"seq": '))]) for line in lines]
    return len(seqs) >= last - first + 1 and seqs == list(range(first, first + len(seqs)))


def test_memory(trader, context):
    """The publishers' queues fill, stay full, and are gone with the subscribers."""
    publishers = ["orchestrator", "gateway-alpha", "gateway-beta"]
    tail, first = start_tail()
    before, silent = sizes(publishers), Silent(context)
    tail.send_signal(signal.SIGSTOP)
    silent.begin()
    sent = len(trader.ended)
    check("orders complete while nobody reads", wait_until(90, lambda: len(trader.ended) > sent + 1200), len(trader.ended) - sent)
    steps, stays = [sizes(publishers)], False
    while not stays and len(steps) < 8:  # how many orders fill a queue depends on how many share a message
        sent = len(trader.ended)
        wait_until(60, lambda: len(trader.ended) > sent + 600)
        steps.append(sizes(publishers))
        stays = all(mb <= 6 for mb in growth(steps[-2], steps[-1]).values())
    grown = growth(before, steps[-1])
    check(f"queues of {SUBSCRIBERS} subscribers that never read and of a stopped tail are bounded: grown by {grown} MB",
          all(mb <= GROWTH_MB_MAX for mb in grown.values()), steps)
    check(f"and stay as they are: {growth(steps[-2], steps[-1])} MB more after another 600 orders", stays, steps)
    silent.end()
    behind = int(sql("select max(seq) from events")) - first
    tail.send_signal(signal.SIGCONT)
    began = time.monotonic()
    check(f"the tail was stopped for {behind} events and has each of them once, in order", wait_until(60, lambda: tail_is_complete(first), every_s=0.3))
    note(f"it took {time.monotonic() - began:.1f} s to catch up")
    tail.terminate()
    tail.wait()


def test_latency(trader):
    subscribers = Subscribers()

    def begin():
        subscribers.begin()
        sent = len(trader.ended)
        wait_until(60, lambda: len(trader.ended) > sent + 300)  # ten messages an order and more: by now the queues are full

    check_latency(trader, "beside subscribers that do not read", begin, subscribers.end)


def test_clients(trader, context):
    """Clients that ask and never read: what waits for each is bounded, what exceeds it is dropped and counted."""
    names = ["orchestrator", "replayer", "portfolio", "risk", "executor", "gateway-alpha", "venue-alpha"]
    before, sent = sizes(names), len(trader.ended)
    mute = Mute(context)
    mute.fill()
    wait_until(60, lambda: counter("orchestrator", "unread") > 0 and counter("replayer", "unread") > 0)
    after = sizes(names)
    for name in ("orchestrator", "replayer"):
        check(f"{name} counts what it dropped for a client that does not read", counter(name, "unread") > 0)
    check(f"queues of clients that do not read are bounded: grown by {growth(before, after)} MB",
          all(mb <= CLIENT_MB_MAX for mb in growth(before, after).values()), growth(before, after))
    check("orders complete meanwhile", wait_until(30, lambda: len(trader.ended) > sent + 300))

    check_latency(trader, "beside clients that do not read", mute.begin, mute.end, pace=(mute.done, ASKS_HZ / 2))
    mute.close()


def main():
    try:
        start_fleet("--seed", "5", config={"    step_ms = 100  ": "    step_ms = 20  "})
        context, trader = zmq.Context(), Trader("honest", rate_hz=150, quantity_e8=E8 // 10)
        test_memory(trader, context)
        test_latency(trader)
        test_clients(trader, context)
        last = trader.stop()
        check(f"each of {last['sent']} orders was completed", last["open"] == [] and trader.outcomes() == {"completed": last["sent"]},
              (last, trader.outcomes()))
        check("verify passes", *verify())
    finally:
        fleet("down", "--wipe", "--yes", may_fail=True)


if __name__ == "__main__":
    sys.exit(main())
