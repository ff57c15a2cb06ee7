#!/usr/bin/python3
"""Followers that join in mid-stream, a hundred times while orders flow: scripted ones that know only docs/wire.md, `tail`,
and risk and portfolio started anew. Each ends with exactly what the log says: the scripted ones with its events and the
digest over these, the tails with its events, and a hundred times one that folds, with or without a snapshot, with the state
of the process that was there all the time."""
import json
import os
import random
import subprocess
import sys
import time
import uuid

import msgpack
import zmq

from traffic import Follower, Trader, ask, barrier, chain, check, fleet, note, sql, start_fleet, verify
from wire import CONTROL, E8, SLOW, wait_until

SCRIPTED, TAILS, RESTARTS = 64, 20, 8  # 8 of each of two processes
FOLDERS = ("orchestrator", "risk", "portfolio")
FOLDS = 28                             # of each of these: with the restarts, a hundred joiners whose state is compared
LIVE_EVENTS = 150                      # that a joiner takes live before it compares
BIN = os.environ["ZVT_BIN"]


def tip():
    return int(sql("select max(seq) from events"))


def log_events(first, last):
    """The log as it is stored, each event as docs/wire.md writes it."""
    def value(text):
        return uuid.UUID(text).bytes

    def unpacked(text):
        return msgpack.unpackb(bytes.fromhex(text), raw=False, strict_map_key=False)

    rows = sql("select seq, event_id, type, version, timestamp_ns, correlation_id, causation_id, aggregate_id, aggregate_version, "
               f"encode(metadata, 'hex'), encode(payload, 'hex') from events where seq between {first} and {last} order by seq")
    for row in rows.splitlines():
        c = row.split("|")
        yield [int(c[0]), value(c[1]), int(c[2]), int(c[3]), int(c[4]), value(c[5]), value(c[6]), value(c[7]), int(c[8]),
               unpacked(c[9]), unpacked(c[10])]


# ---- scripted followers ----
def join(context, first):
    """Joins at `first`, catches up, goes on live for a while: (first, last, digest, gaps)."""
    follower, digest, last, end, target = Follower(context, first), b"", first - 1, time.monotonic() + 30 * SLOW, None
    while time.monotonic() < end and (target is None or follower.next_seq <= target):
        for event in follower.poll(50)[0]:
            digest = chain(digest, event)
            last = event[0]
        if target is None and follower.tip and follower.next_seq > follower.tip:
            target = follower.tip + LIVE_EVENTS
    follower.close()
    return first, last, digest, target is not None and last >= target


def test_scripted():
    context, rng, joined = zmq.Context(), random.Random(11), []
    for i in range(SCRIPTED):
        last = tip() if i % 8 == 0 else joined[-1][1]
        joined.append(join(context, 1 if i % 16 == 0 else rng.randrange(max(1, last - 4000), last + 1)))
    check(f"{SCRIPTED} followers join in mid-stream, some from the first event on, and go on live", all(j[3] for j in joined),
          [j for j in joined if not j[3]])
    stored = list(log_events(1, max(j[1] for j in joined)))
    wrong = []
    for first, last, digest, _ in joined:
        expected = b""
        for event in stored[first - 1:last]:
            expected = chain(expected, event)
        if expected != digest:
            wrong.append((first, last))
    check(f"each ends with the digest of the log that it followed ({len(stored)} events)", wrong == [], wrong)


# ---- tail ----
def test_tails():
    rng, tails, last = random.Random(12), [], tip()
    for _ in range(TAILS):
        first = rng.randrange(max(1, last - 3000), last)
        count = last - first + LIVE_EVENTS
        tail = subprocess.Popen([f"{BIN}/zvt-monitor", "tail", "--json", "--since", str(first), "--count", str(count)],
                                stdout=subprocess.PIPE, text=True)
        tails.append((first, count, tail))
        time.sleep(rng.random() / 10)  # at any moment of the stream
    lines = [(first, count, tail.communicate(timeout=120 * SLOW)[0].splitlines()) for first, count, tail in tails]
    ids = dict(row.split("|") for row in sql("select seq, event_id from events").splitlines())
    wrong = []
    for first, count, said in lines:
        seen = [(e["seq"], e["event_id"]) for e in map(json.loads, said)]
        if seen != [(seq, ids.get(str(seq))) for seq in range(first, first + count)]:
            wrong.append((first, count, len(seen)))
    check(f"{TAILS} tails show every event from where they began, once and in order", wrong == [], wrong)


# ---- processes of ours ----
def digest_of(context, process, seq):
    reply = ask(context, f"control.{process}", [CONTROL, "digest", str(seq)])
    return json.loads(reply[2]) if reply and reply[1] else None


def is_state(live, fold):
    """A fold says more than a digest; the orchestrator's, what the log took twice, and whether the checkpoint is the fold up to there."""
    said = fold or {}
    fine = said.get("doubled", 0) == 0 and said.get("checkpoint_is_fold") is not False
    return live is not None and live == {name: said.get(name) for name in live} and fine


def folded(process, seq):
    done = subprocess.run([f"{BIN}/zvt-{process}", "--fold", str(seq)], capture_output=True, text=True, timeout=120 * SLOW)
    return json.loads(done.stdout.splitlines()[-1]) if done.returncode == 0 else None


def test_restarts():
    context, wrong = zmq.Context(), []
    for i in range(2 * RESTARTS):
        process = ("risk", "portfolio")[i % 2]
        fleet("restart", process)
        seq = barrier(context)
        wait_until(30, lambda: digest_of(context, process, seq) is not None)
        live, fold = digest_of(context, process, seq), folded(process, seq)
        if not is_state(live, fold):
            wrong.append((process, seq, live, fold))
    check(f"risk and portfolio, started anew {RESTARTS} times each while orders flow, have the state that the log alone makes",
          wrong == [], wrong)


def start_fold(process, seq):
    return subprocess.Popen([f"{BIN}/zvt-{process}", "--name", process, "--fold", str(seq)], stdout=subprocess.PIPE, stderr=subprocess.DEVNULL, text=True)


def test_folds():
    """Joiners without a snapshot: from the first event on through the replayer up to a barrier in the stream that goes on."""
    context, wrong = zmq.Context(), []
    for _ in range(FOLDS):
        seq = barrier(context)
        joiners = {process: start_fold(process, seq) for process in FOLDERS}
        for process, joiner in joiners.items():
            said = joiner.communicate(timeout=120 * SLOW)[0].splitlines()
            wait_until(30, lambda p=process: digest_of(context, p, seq) is not None)
            live, fold = digest_of(context, process, seq), json.loads(said[-1]) if said else None
            if not is_state(live, fold):
                wrong.append((process, seq, live, fold))
    check(f"{FOLDS} of each of {', '.join(FOLDERS)} that join without a snapshot have the state of the one that was there all the time",
          wrong == [], wrong)


def main():
    try:
        start_fleet("--seed", "7")
        trader = Trader("honest", rate_hz=100, quantity_e8=E8 // 10)
        wait_until(60, lambda: len(trader.ended) > 500)
        for test in (test_scripted, test_tails, test_restarts, test_folds):
            began = time.monotonic()
            test()
            note(f"{time.monotonic() - began:.0f} s")
        last = trader.stop()
        check(f"each of {last['sent']} orders was completed meanwhile", trader.outcomes() == {"completed": last["sent"]}, (last, trader.outcomes()))
        check("verify passes", *verify())
    finally:
        fleet("down", "--wipe", "--yes", may_fail=True)


if __name__ == "__main__":
    sys.exit(main())
