"""What the fleet's processes, and Postgres, wrote into their logs at a time: to explain a recovery that took too long."""
import datetime
import glob
import os
import re

TAIL_BYTES, LINES_MAX, AROUND_S = 1 << 18, 60, 0.2
TURNED_AWAY = re.compile("is starting up|not yet accepting connections|recovery state has not been yet reached|in recovery mode")
TIME = re.compile(r"^(\d{4}-\d\d-\d\d)[T ](\d\d:\d\d:\d\d\.\d+)(Z| UTC) ?")  # of our own lines, and of those of Postgres


def time_of(line):
    """UTC seconds, or None."""
    found = TIME.match(line)
    if not found:
        return None
    return datetime.datetime.fromisoformat(f"{found[1]} {found[2][:15]}").replace(tzinfo=datetime.timezone.utc).timestamp()


def tail_of(path):
    try:
        with open(path, "rb") as file:
            file.seek(max(0, os.fstat(file.fileno()).st_size - TAIL_BYTES))
            return file.read().decode(errors="replace").splitlines()
    except OSError:
        return []


def between(home, begin_s, end_s):
    """"process: line" of everything that was written from a moment before to a moment after, in the order of time, without those
    whom Postgres turned away; the first and the last when there are too many."""
    found = []
    for path in glob.glob(os.path.join(home, "log", "*", "current")):
        process = os.path.basename(os.path.dirname(path))
        for line in tail_of(path):
            at_s = time_of(line)
            if at_s is not None and not TURNED_AWAY.search(line) and begin_s - AROUND_S <= at_s <= end_s + AROUND_S:
                found.append((at_s, f"{process}: {line}"))
    lines = [text for _, text in sorted(found)]
    if len(lines) > LINES_MAX:
        lines[LINES_MAX // 2:-LINES_MAX // 2] = [f".. {len(lines) - LINES_MAX} lines .."]
    return lines
