"""measure -- what a load costs: CPU and memory by process, rows and WAL of the log."""

import glob
import os
import subprocess
import time

TICKS = os.sysconf("SC_CLK_TCK")


def cpu_s(pid):
    """User and system time of a process with all its threads and of its children that have ended; 0 when it is gone."""
    try:
        with open("/proc/%d/stat" % pid) as file:
            fields = file.read().rsplit(")", 1)[1].split()
    except OSError:
        return 0.0
    return sum(int(field) for field in fields[11:15]) / TICKS


def switches(pid):
    """How often the threads of a process have gone to sleep: each time somebody had to wake them."""
    count = 0
    for path in glob.glob("/proc/%d/task/*/status" % pid):
        try:
            with open(path) as file:
                count += sum(int(line.split()[1]) for line in file if line.startswith("voluntary_ctxt_switches"))
        except OSError:
            pass  # it has just ended
    return count


def memory_mb(pid, shared=True):
    """Resident memory; without `shared`, pages that others use too count in proportion."""
    key, path = ("VmRSS:", "/proc/%d/status") if shared else ("Pss:", "/proc/%d/smaps_rollup")
    try:
        with open(path % pid) as file:
            for line in file:
                if line.startswith(key):
                    return int(line.split()[1]) / 1024
    except OSError:
        pass
    return 0.0


def children(pid):
    """Process ids of the children."""
    try:
        with open("/proc/%d/task/%d/children" % (pid, pid)) as file:
            return [int(word) for word in file.read().split()]
    except OSError:
        return []


class Snapshot:
    """CPU so far of every process with its children, and how long the log is. `pids` is {name: pid}: looking for them
    costs more CPU than looking at them, so whoever measures does it before."""

    def __init__(self, fleet, pids):
        self.families = {name: [pid] + children(pid) for name, pid in pids.items()}
        self.at = time.monotonic()
        self.cpu = self._sums(cpu_s)
        self.switches = self._sums(switches)
        self.memory = {}
        self.log_at = time.monotonic()
        answer = fleet.sql("select pg_current_wal_lsn() - '0/0'::pg_lsn, coalesce(max(last_seq), 0) from event_batches")
        wal, seq = answer.split("|")
        self.wal_bytes, self.seq = int(wal), int(seq)

    def _sums(self, figure):
        return {name: sum(figure(pid) for pid in family) for name, family in self.families.items()}

    def with_memory(self):
        """Also the memory of every process: slow, so only after what is measured."""
        self.memory = {name: sum(memory_mb(pid, shared=name != "postgres") for pid in family) for name, family in self.families.items()}
        return self


def _grown(first, last):
    return {name: value - first.get(name, 0) for name, value in last.items()}


def between(first, last, orders_per_s):
    """What the time between two snapshots cost, by order; nothing of it when a process has died meanwhile: what it used is not known."""
    seconds, log_seconds = last.at - first.at, last.log_at - first.log_at
    orders = max(1.0, orders_per_s * seconds)
    cpu, sleeps = _grown(first.cpu, last.cpu), _grown(first.switches, last.switches)
    if min(cpu.values()) < 0:
        return {}
    return {
        "switches_per_order": round(sum(sleeps.values()) / orders, 2),
        "switches": {name: round(value / orders, 3) for name, value in sorted(sleeps.items())},
        "cpu_us_per_order": round(sum(cpu.values()) * 1e6 / orders, 2),
        "cpu_us": {name: round(value * 1e6 / orders, 2) for name, value in sorted(cpu.items())},
        "cores": round(sum(cpu.values()) / seconds, 3),
        "rss_mb": {name: round(value, 1) for name, value in sorted(last.memory.items())},
        "rss_mb_total": round(sum(last.memory.values()), 1),
        "rows_per_s": round((last.seq - first.seq) / log_seconds, 1),
        "wal_bytes_per_order": round((last.wal_bytes - first.wal_bytes) / max(1.0, orders_per_s * log_seconds), 1),
    }


def machine():
    """What the figures were measured on."""
    model = "unknown"
    with open("/proc/cpuinfo") as file:
        for line in file:
            if line.startswith("model name"):
                model = line.split(":", 1)[1].strip()
                break
    with open("/proc/meminfo") as file:
        memory_mib = int(file.readline().split()[1]) // 1024
    return {"cpu": model, "cores": os.cpu_count(), "memory_mib": memory_mib, "kernel": os.uname().release,
            "load_average": os.getloadavg()[0]}


def commit_of(checkout):
    """Which sources, or unknown."""
    done = subprocess.run(["git", "-C", checkout, "describe", "--always", "--dirty"], text=True, stdout=subprocess.PIPE,
                          stderr=subprocess.DEVNULL, check=False)
    return done.stdout.strip() or "unknown"
