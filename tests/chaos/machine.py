"""What the machine did to a recovery that is none of the fleet's doing: a disk that did not answer."""
import os
import threading
import time

EVERY_S, STALL_S = 0.05, 0.1  # a small sync takes a fifth of a millisecond
MS = 1_000_000


class DiskWatch:
    """Syncs a few bytes of a file of its own, twenty times a second, on the disk that the fleet is on."""

    def __init__(self, folder):
        self.fd = os.open(os.path.join(folder, "disk-watch"), os.O_CREAT | os.O_WRONLY, 0o600)
        self.stalls, self.begun_ns = [], 0  # (begin, end) of the long ones, monotonic; of the one that is under way, or 0
        threading.Thread(target=self.watch, daemon=True).start()

    def watch(self):
        while True:
            self.begun_ns = time.monotonic_ns()
            os.pwrite(self.fd, b"0123456789abcdef", 0)
            os.fdatasync(self.fd)
            end_ns, begun_ns, self.begun_ns = time.monotonic_ns(), self.begun_ns, 0
            if end_ns - begun_ns >= STALL_S * 1e9:
                self.stalls.append((begun_ns, end_ns))
            time.sleep(EVERY_S)

    def stalled_ms(self, since_ns, until_ns):
        """For how long it did not answer in that time."""
        begun_ns = self.begun_ns
        under_way = [(begun_ns, until_ns)] if begun_ns and until_ns - begun_ns >= STALL_S * 1e9 else []
        overlaps = (min(end_ns, until_ns) - max(begin_ns, since_ns) for begin_ns, end_ns in self.stalls[-100:] + under_way)
        return sum(overlap for overlap in overlaps if overlap > 0) / MS
