#!/usr/bin/python3
# run/test: first
"""Disks that fill up while orders flow: that of the log's tables, that of its write-ahead log, that of the state folder (the
venues' ledgers, the epochs). Orders are refused with a reason and the error is named, nothing is lost, and room is all that
is needed to go on.

Needs small file systems of its own, which only root can make; for others there is nothing to test."""
import contextlib
import os
import shutil
import signal
import subprocess
import sys
import threading
import time

from traffic import HOME, Trader, check, fleet, note, postgres_folders, processes, rss_kb, sql, start_fleet, undecided, verify
from wire import SLOW, wait_until

# From when there is room to the completion of an order that was due after it. A lost log is tried again every 50 to 400 ms, and
# each attempt may meet the rest of the recovery before; a venue looks for room every so often, and its circuit is half open
# within a second. Without room for its write-ahead log Postgres itself ends: it is started once a second, and recovers.
BACK_S, BACK_OF_POSTGRES_S = 3, 5
STALL_S = 1.5         # without a completed order: the disk is full and everybody has noticed
RATE_HZ = 150
LIFETIME_S = 2        # of an order that is not taken
mounted = []


def mount(path, megabytes, owner=None):
    """A small file system at a folder that may have content already; the content moves into it."""
    os.makedirs(path, exist_ok=True)
    status = os.stat(path)
    kept = f"{path}.kept"
    shutil.copytree(path, kept, symlinks=True)
    if subprocess.run(["mount", "-t", "tmpfs", "-o", f"size={megabytes}m,mode={status.st_mode & 0o777:o}", "tmpfs", path]).returncode:
        return False
    mounted.append(path)
    subprocess.run(["cp", "-a", f"{kept}/.", path], check=True)
    subprocess.run(["chown", "-R", f"{owner or status.st_uid}:{owner or status.st_gid}", path], check=True)
    shutil.rmtree(kept)
    return True


class Ballast:
    """Takes every byte of a file system, and again as soon as one is given back, until it is let go."""

    def __init__(self, folder):
        self.path, self.on = os.path.join(folder, "ballast"), True
        self.thread = threading.Thread(target=self.main, daemon=True)
        self.thread.start()

    def main(self):
        with open(self.path, "ab", buffering=0) as file:
            while self.on:
                for size in (1 << 20, 1 << 16, 1 << 12):
                    with contextlib.suppress(OSError):
                        while self.on and file.write(bytes(size)) == size:
                            pass
                time.sleep(0.01)

    def let_go(self):
        self.on = False
        self.thread.join()
        os.unlink(self.path)


def said(process, *words):
    """Whether a process has named the cause."""
    return any(word in fleet("logs", process, may_fail=True) for word in words)


def full(folder, text, until_s, first=None, also=None, back_s=BACK_S):
    """Fills a file system under load, and makes room again when orders have stopped completing."""
    trader = Trader(f"trader-{os.path.basename(folder)}", rate_hz=RATE_HZ, lifetime_s=LIFETIME_S)
    check(f"{text}: orders complete before", wait_until(20, lambda: trader.last_end_ns() > 0))
    before, sizes = int(sql("select max(seq) from events")), {n: rss_kb(p["pid"]) for n, p in processes().items() if p["pid"]}
    ballast, began_ns = Ballast(folder), time.monotonic_ns()

    def noticed():
        return time.monotonic_ns() - max(trader.last_end_ns(), began_ns) > STALL_S * 10**9

    if first:
        first()
    stopped = wait_until(until_s, noticed, every_s=0.1)
    note(f"after {(time.monotonic_ns() - began_ns) / 1e9:.0f} s")
    check(f"{text} full: orders stop completing within {until_s} s of load", stopped)
    noticed_ns = time.monotonic_ns()
    if also:
        also()
    time.sleep(2 * LIFETIME_S)  # a disk is not full for a moment only
    room_ns = time.monotonic_ns()
    ballast.let_go()
    back = trader.wait_for_completion(room_ns, 60)
    check(f"{text} full: with room again orders complete after {back:.2f} s" if back else f"{text} full: orders complete again",
          back is not None and back < back_s * SLOW, back)
    outcomes = trader.outcomes(noticed_ns, room_ns - LIFETIME_S * 10**9)  # later ones may live until there is room
    # A venue that has ended some orders has room for a few more.
    good = outcomes and outcomes.get("completed", 0) < 0.1 * sum(outcomes.values()) and "unanswered" not in outcomes
    check(f"{text} full: orders of that time were told why: {outcomes}", good)
    grown = {n: (rss_kb(p["pid"]) - sizes.get(n, 0)) // 1024 for n, p in processes().items() if p["pid"] and n != "postgres"}
    check(f"{text} full: memory stays bounded, grown by at most {max(grown.values())} MB", max(grown.values()) < 64, grown)
    check(f"{text} full: the log has only grown", int(sql("select max(seq) from events")) > before)
    last = trader.stop()
    check(f"{text} full: each of {last['sent']} orders has an end: {trader.outcomes()}", last["open"] == [], last["open"])


def next_segments():
    """Postgres has room in the segment that it writes to, and in one that it has made ahead."""
    socket = os.environ["DATABASE_URL"].split("host=")[1].split("&")[0]
    for _ in range(3):
        subprocess.run(["setpriv", "--reuid", "postgres", "--regid", "postgres", "--init-groups", "psql", "-h", socket, "-U", "postgres",
                        "-d", "zvt", "-Atc", "select pg_switch_wal()"], capture_output=True, cwd="/")
        time.sleep(0.2)  # something is written to it


def new_epoch():
    """A writer that takes over needs its epoch to be stored; without room for it nobody obeys the new one."""
    os.kill(processes()["orchestrator"]["pid"], signal.SIGKILL)


def prepare():
    """The fleet's folders on small file systems: tables and write-ahead log 500 MB each, state 24 MB."""
    config = start_fleet("--seed", "12")
    fleet("down")
    data = postgres_folders()[0]
    uid = os.stat(data).st_uid
    wal = os.path.join(HOME, "wal")
    if not mount(data, 500):
        return None
    os.makedirs(wal, mode=0o711)
    os.chown(wal, uid, uid)
    subprocess.run(["mount", "-t", "tmpfs", "-o", "size=500m,mode=700", "tmpfs", wal], check=True)
    mounted.append(wal)
    subprocess.run(["cp", "-a", f"{data}/pg_wal/.", wal], check=True)
    subprocess.run(["chown", "-R", f"{uid}:{uid}", wal], check=True)
    shutil.rmtree(f"{data}/pg_wal")
    os.symlink(wal, f"{data}/pg_wal")
    mount(os.path.join(HOME, "state"), 24)
    fleet("up", "--no-strategies", "--config", config)
    return data, wal, os.path.join(HOME, "state")


def main():
    if os.geteuid() != 0:
        undecided("nothing was tested: only root can mount the small file systems that this needs")
        return 0
    try:
        places = prepare()
        if places is None:
            undecided("nothing was tested: a small file system cannot be mounted here")
            return 0
        data, wal, state = places
        full(data, "the disk of the log's tables", 30)
        check("the orchestrator names the cause", said("orchestrator", "No space left", "could not extend"))
        full(wal, "the disk of the write-ahead log", 60, first=next_segments, back_s=BACK_OF_POSTGRES_S)
        check("Postgres names the cause", said("postgres", "No space left"))
        full(state, "the state folder", 120, also=new_epoch)
        check("the venue names the cause", said("venue-alpha", "No space left"))
        check("so do those who could not store an epoch", said("gateway-alpha", "No space left") or said("executor", "No space left"))
        check("verify passes", *verify())
    finally:
        fleet("down", may_fail=True)
        for path in reversed(mounted):
            subprocess.run(["umount", "-l", path])
        fleet("down", "--wipe", "--yes", may_fail=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())
