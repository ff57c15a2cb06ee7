#!/usr/bin/python3
"""Retention: `fleet archive` moves the oldest events into files while orders flow, is killed in every phase and goes on; then
everything that is only a cache is deleted and every process is started anew from the base; what has left the log can be
checked and read; and nobody begins from a hole, base or no base."""
import glob
import json
import os
import signal
import subprocess
import sys
import time

import zmq

from comparison import percentile
from traffic import CHECKOUT, HOME, Trader, ask, check, counter, fleet, note, processes, sql, start_fleet, verify
from wire import BUY, E8, IOC, MARKET, PLACE, wait_until

PARTITION, KEEP, EVENTS, RATE = 5000, 10000, 45000, 400
BASES, FILES = f"{HOME}/archive.bases", f"{HOME}/archive"
FOLDERS = ("orchestrator", "risk", "portfolio")


def owner_sql(query):
    """As the owner of the log, which only `fleet archive` and `up` are."""
    with open(f"{HOME}/database.env") as file:
        kept = dict(line.rstrip("\n").split("=", 1) for line in file if "=" in line)
    url = subprocess.run(["bash", "-c", f"printf %s {kept['database_admin_url']}"], capture_output=True, text=True).stdout
    done = subprocess.run(["psql", "-X", "-At", "-v", "ON_ERROR_STOP=1", "-d", url, "-c", query], capture_output=True, text=True)
    if done.returncode:
        raise SystemExit(f"{query}: {done.stderr}")
    return done.stdout.strip()


def first_seq():
    return int(sql("select zvt_log_first_seq()"))


def refused(*words):
    """What the command says when it is refused; empty when it is not."""
    done = subprocess.run([f"{CHECKOUT}/run/fleet", "--home", HOME, *words], capture_output=True, text=True, stdin=subprocess.DEVNULL, timeout=120)
    return done.stdout + done.stderr if done.returncode else ""


# ---- archiving, killed again and again ----
KILLS = {
    "while it folds a base": lambda: glob.glob(f"{BASES}/*"),
    "while a file is written": lambda: glob.glob(f"{FILES}/*.part"),
    "when the first files are there": lambda: glob.glob(f"{FILES}/*.commits.gz"),
    "after some partitions have left": lambda: len(glob.glob(f"{FILES}/*.commits.gz")) >= 4,
}


def start_archive():
    return subprocess.Popen([f"{CHECKOUT}/run/fleet", "--home", HOME, "archive", "--keep", str(KEEP), "--yes", "--json"], text=True,
                            stdin=subprocess.DEVNULL, stdout=subprocess.PIPE, stderr=subprocess.PIPE, start_new_session=True)


def test_kills():
    """The whole group of processes at once, as a machine that goes down would."""
    seen = []
    for when, condition in KILLS.items():
        archive = start_archive()
        reached = wait_until(30, lambda: condition() or archive.poll() is not None, every_s=0.001)
        early = archive.poll() is not None
        if not early:
            os.killpg(archive.pid, signal.SIGKILL)
        archive.communicate()
        seen.append((when, reached and not early))
        left = int(sql("select min(seq) from events"))
        gone = int(sql("select coalesce(max(last_seq), 0) from log_archives"))
        check(f"killed {when}: the log begins behind what is recorded as archived", left == gone + 1, (left, gone))
        files = sql("select file from log_archives union all select batches_file from log_archives").splitlines()
        check("  and every file of it is there", all(os.path.exists(name) for name in files), files)
    check("it was killed in each of these phases", all(hit for _, hit in seen), seen)


def test_archive(trader):
    tip, before = int(sql("select max(seq) from events")), time.monotonic_ns()
    plan = json.loads(fleet("archive", "--keep", str(KEEP), "--dry-run", "--json"))["partitions"]
    archive = start_archive()
    said, problems = archive.communicate(timeout=120)
    check("run again it goes on to the end", archive.returncode == 0, problems)
    done = json.loads(said) if archive.returncode == 0 else {}
    gone = [p["last_seq"] for p in done.get("archived", [])]
    check("the partitions of the plan have left", plan and gone[:len(plan)] == [p["last_seq"] for p in plan], (plan, done))
    first, newest = first_seq(), int(sql("select max(seq) from events"))
    check("the log begins with a partition, and has what was to be kept", first % PARTITION == 0 and tip - KEEP - PARTITION < first <= newest - KEEP + 1,
          (tip, first, newest))
    after = time.monotonic_ns()
    latencies, quiet = trader.latencies_ms(before, after), trader.latencies_ms(0, before - 5 * 10**9)
    note(f"{len(plan)} partitions in {(after - before) / 1e9:.1f} s; orders meanwhile: p99 {percentile(latencies or [0], 99):.1f} ms, "
         f"max {max(latencies, default=0):.1f} ms; before: p99 {percentile(quiet or [0], 99):.1f} ms, max {max(quiet, default=0):.1f} ms")
    check("orders were completed meanwhile", len(latencies) > 10, len(latencies))
    check("a log that is short enough is left alone", "Nothing to archive" in fleet("archive", "--yes") and first_seq() == first)
    listed = json.loads(fleet("archive", "--list", "--json"))
    check("the list says where everything is", listed["first_seq"] == first and {b["process"] for b in listed["bases"]} == set(FOLDERS)
          and listed["archives"][-1]["last_seq"] == first - 1, listed)
    return first


# ---- looking at what has left ----
def test_history(first, old_saga):
    said = refused("tail", "--since", "1", "--count", "1")
    check("tail from below says where the log begins", f"begins with seq {first}" in said and "archive --list" in said, said)
    tail = fleet("tail", "--since", str(first), "--count", "1", "--json")
    check("tail from there shows it", json.loads(tail)["seq"] == first, tail)
    said = refused("saga", old_saga)
    check("an order of the archive is said to be there", "archived" in said and f"seq {first}" in said, said)
    fleet("archive", "--restore", "1")
    counts = sql("select count(*), min(seq), max(seq) from archived.events")
    check("a partition can be read again, beside the log", counts == f"{PARTITION - 1}|1|{PARTITION - 1}" and first_seq() == first, counts)
    check("with what its events say", sql(f"select count(*) from archived.event_store where correlation_id = '{old_saga}' and event_data is not null") != "0")


def test_corruption():
    path = sql("select file from log_archives order by first_seq offset 1 limit 1")
    check("archive --verify finds nothing wrong", refused("archive", "--verify") == "")
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        byte = file.read(1)
        file.seek(-1, os.SEEK_CUR)
        file.write(bytes([byte[0] ^ 1]))
    said = refused("archive", "--verify")
    check("archive --verify finds one changed bit, in that file alone", said.count("FAILED") == 1 and os.path.basename(path)[:30] in said, said)
    check("verify --archives finds it too", "FAILED" in refused("verify", "--archives"))
    check("and it is not restored", "damaged" in refused("archive", "--restore", str(PARTITION + 1)))
    with open(path, "r+b") as file:
        file.seek(os.path.getsize(path) // 2)
        file.write(byte)
    os.rename(path, f"{path}.away")
    check("a file that is away is found", "No such file" in refused("archive", "--verify"))
    os.rename(f"{path}.away", path)


# ---- starting anew ----
def drop_snapshots():
    for path in glob.glob(f"{HOME}/state/*.snapshot"):
        os.remove(path)


def stop_checkpointer():
    """And leave no checkpoint behind it."""
    subprocess.run(["s6-svc", "-wD", "-T", "15000", "-d", f"{HOME}/s6/services/checkpointer"], check=True)
    owner_sql("delete from checkpoints")


def positions():
    rows = json.loads(fleet("positions", "--json"))
    rows = rows["positions"] if isinstance(rows, dict) else rows
    return sorted((row["strategy_id"], row["symbol"], row["quantity"], row["realized_pnl"]) for row in rows)


def order_fills():
    reply = ask(zmq.Context.instance(), "request", [PLACE, "", "test", "test", "main", ["SOL/USDT", BUY, MARKET, IOC, False, E8 // 10, 0, 0, "", 0], 3, 20000])
    return bool(reply and reply[2])


def test_new_beginning():
    before = positions()
    fleet("down")
    drop_snapshots()
    start_fleet("--seed", "7")
    stop_checkpointer()
    fleet("restart", "orchestrator", "checkpointer")
    check("without snapshots and checkpoints everybody begins with the base", all(counter(process, "bases_loaded") == 1 for process in FOLDERS),
          {process: counter(process, "bases_loaded") for process in FOLDERS})
    check("and has the same positions", positions() == before, (before, positions()))
    check("an order fills", order_fills())
    ok, answer = verify()
    check("verify passes: what they have is what the log makes of the base", ok, answer)


def stays_down(process, *words):
    """The process cannot be started, stays down, and says why."""
    fleet("restart", process, may_fail=True)
    said = fleet("logs", process, "-n", "20")
    return processes()[process]["state"] == "failed" and all(word in said for word in words), said


def test_hole(first):
    """Without a base nobody may begin."""
    owner_sql("create table kept_bases as select * from log_bases; delete from log_bases")
    drop_snapshots()
    stop_checkpointer()
    for process in ("checkpointer", *FOLDERS):
        check(f"{process} refuses to begin from a hole, and says what to do", *stays_down(process, str(first), "base"))
    folds = {name: subprocess.run([os.path.join(os.environ["ZVT_BIN"], f"zvt-{name}"), "--name", name, "--fold", str(first + 100)], capture_output=True,
                                  text=True, timeout=60) for name in FOLDERS}
    check("no fold is made of it either", all(fold.returncode != 0 and fold.stdout == "" for fold in folds.values()), folds)
    owner_sql("insert into log_bases select * from kept_bases; drop table kept_bases")
    fleet("restart", "checkpointer", *FOLDERS)
    check("with the bases back the fleet trades", order_fills())


def main():
    os.environ["ZVT_PARTITION_EVENTS"] = str(PARTITION)
    try:
        start_fleet("--seed", "7")
        trader = Trader("honest", rate_hz=RATE, quantity_e8=E8 // 10)
        wait_until(90, lambda: len(trader.ended) * 9 > EVENTS)
        old_saga = sql("select correlation_id from events where seq = (select min(seq) from events where type = 1)")
        test_kills()
        first = test_archive(trader)
        last = trader.stop()
        check(f"each of {last['sent']} orders was completed meanwhile", trader.outcomes() == {"completed": last["sent"]}, (last, trader.outcomes()))
        ok, answer = verify("--archives")
        check("verify passes, with the archive files", ok, answer)
        test_history(first, old_saga)
        test_corruption()
        test_new_beginning()
        test_hole(first)
        ok, answer = verify("--archives")
        check("verify passes at the end", ok, answer)
    finally:
        fleet("down", "--wipe", "--yes", may_fail=True)


if __name__ == "__main__":
    sys.exit(main())
