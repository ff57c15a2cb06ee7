"""What the machine did to a recovery that is none of the fleet's doing: a disk that did not answer, and processors that another
machine had. That the load was late is neither: a fleet that burns all processors while it recovers makes it late."""
import collections
import os
import threading
import time

EVERY_S, STALL_S = 0.05, 0.1  # a small sync takes a fifth of a millisecond
KEPT = 4096                   # samples of stolen time: three minutes of them
MS = 1_000_000

# Of a stretch of time, how much of it the disk did not answer, and the processors were away; both in ms.
Machine = collections.namedtuple("Machine", "disk_ms stolen_ms")


def stolen_ms(line):
    """From the first line of /proc/stat: how long the host ran others instead of us, on average over the processors."""
    words = line.split()
    return int(words[8]) * 1000 / os.sysconf("SC_CLK_TCK") / os.cpu_count() if words[:1] == ["cpu"] and len(words) > 8 else 0.0


class MachineWatch:
    """Syncs a few bytes of a file of its own, twenty times a second, on the disk that the fleet is on, and reads how much
    processor time was stolen meanwhile."""

    def __init__(self, folder):
        self.fd = os.open(os.path.join(folder, "disk-watch"), os.O_CREAT | os.O_WRONLY, 0o600)
        self.stat = open("/proc/stat")
        self.stalls, self.begun_ns = [], 0  # (begin, end) of the long ones, monotonic; of the one that is under way, or 0
        self.stolen = collections.deque(maxlen=KEPT)  # (begin, end, ms stolen in it), only of those that had some
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        seen_ns, seen_ms = time.monotonic_ns(), self.read_stolen_ms()
        while True:
            self.begun_ns = time.monotonic_ns()
            os.pwrite(self.fd, b"0123456789abcdef", 0)
            os.fdatasync(self.fd)
            end_ns, begun_ns, self.begun_ns = time.monotonic_ns(), self.begun_ns, 0
            if end_ns - begun_ns >= STALL_S * 1e9:
                self.stalls.append((begun_ns, end_ns))
            now_ms = self.read_stolen_ms()
            if now_ms > seen_ms:
                self.stolen.append((seen_ns, end_ns, now_ms - seen_ms))
            seen_ns, seen_ms = end_ns, now_ms
            time.sleep(EVERY_S)

    def read_stolen_ms(self):
        self.stat.seek(0)
        return stolen_ms(self.stat.readline())

    def between(self, since_ns, until_ns):
        begun_ns = self.begun_ns
        under_way = [(begun_ns, until_ns)] if begun_ns and until_ns - begun_ns >= STALL_S * 1e9 else []
        stalled_ns = sum(overlap_ns(stall, since_ns, until_ns) for stall in self.stalls[-100:] + under_way)
        stolen = sum(ms * overlap_ns((begin, end), since_ns, until_ns) / (end - begin) for begin, end, ms in list(self.stolen))
        return Machine(stalled_ns / MS, stolen)


def overlap_ns(stretch, since_ns, until_ns):
    return max(0, min(stretch[1], until_ns) - max(stretch[0], since_ns))
