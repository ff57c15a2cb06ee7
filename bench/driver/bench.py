"""bench -- the driver of run/bench: runs scenarios, prints tables, writes the report.

Called by run/bench with the paths of this checkout; see there for the options.
"""

import argparse
import datetime
import json
import os
import shutil
import signal
import subprocess
import sys
import tempfile
import time
import traceback

import growth
import limits
import measure
import medians
import orders
import overload
import peer
import recovery
import replay
import report
import strategies
import targets
import ticks
import watch
from fleet import BenchError, Fleet
from load import run_load

SCENARIOS = {
    "orders": (orders.run, "the whole order at offered rates, and the highest sustained"),
    "idle": (orders.run_idle, "one order at a time"),
    "events": (orders.run_events, "commit to subscriber"),
    "ticks": (ticks.run, "market data, gateway to 1, 4 and 16 strategies"),
    "strategies": (strategies.run, "1,000 strategies in a few hosts"),
    "recovery": (recovery.run, "kill -9 of each process under load"),
    "overload": (overload.run, "others' latency while somebody misbehaves"),
    "replay": (replay.run, "rebuilding each follower from a long log"),
    "limits": (limits.run, "what bare loops get from this machine"),
    "peer": (peer.run, "the same six steps over Redis Streams"),
    "growth": (growth.run, "longer logs, more symbols, more strategies"),
}
ALL = [name for name in SCENARIOS if name != "growth"]
SETTLE_S = 2  # between two scenarios


class Bench:
    """What every scenario is given: the options, a folder, the programs, a fleet."""

    def __init__(self, options):
        self.options = options
        self.checkout = options.checkout
        self.fleet_script = os.path.join(options.checkout, "run", "fleet")
        whole = options.rate is not None and options.rate == int(options.rate)
        self.rate = int(options.rate) if whole else options.rate
        self.seconds, self.is_quick = options.seconds, options.quick
        self.events, self.pairs = options.events, options.pairs
        self.folder = tempfile.mkdtemp(prefix="zb.")
        os.chmod(self.folder, 0o755)  # Postgres, as its own user, passes through
        hidden = ("DATABASE_URL", "XDG_RUNTIME_DIR")
        self.env = {name: value for name, value in os.environ.items()
                    if name not in hidden and not name.startswith(("PG", "ZVT_"))}
        self.env["ZVT_BIN"] = options.bin
        self.limits = limits.Limits(self)
        self.as_fleet = options.as_fleet.split()  # what a command begins with to be scheduled as the fleet's processes are
        self.children = []
        self.done = {}  # scenarios of this run that were measured, by name
        self.current = None  # the fleet that is up
        self.scenario = ""
        self.said_at = 0.0

    # ---- telling ----
    def progress(self, text):
        """One line that is written over on a terminal, and now and then elsewhere."""
        line = "%s: %s" % (self.scenario, text)
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K" + line[:100])
            sys.stderr.flush()
        elif time.monotonic() - self.said_at > 10:
            self.said_at = time.monotonic()
            print(line, file=sys.stderr, flush=True)

    def say(self, text):
        """A step that is worth a line of its own."""
        self.said_at = 0.0
        self.progress(text)

    # ---- choosing ----
    def quick(self, small, full):
        """A parameter of the smoke run, or of a real one."""
        return small if self.is_quick else full

    def short(self, full, small):
        """The same for the words of a command line."""
        return str(self.quick(small, full))

    # ---- what runs ----
    def binary(self, name):
        """Path of a program of the build."""
        path = os.path.join(self.options.bin, name)
        if not os.access(path, os.X_OK):
            raise BenchError("%s is not built" % path)
        return path

    def fleet(self, **shape):
        """The fleet that is up, when it has this shape, else a new one. It stays up for the next scenario."""
        if self.current is None or self.current.shape != shape:
            self.stop_fleet()
            self.current = Fleet(self, "fleet", **shape)
            self.current.__enter__()
        return _Borrowed(self.current)

    def stop_fleet(self):
        """Also after a failure half way."""
        if self.current is not None:
            self.current.__exit__()
        self.current = None

    def settle(self):
        """What the scenario before has written does not disturb the next one."""
        os.sync()
        time.sleep(self.quick(0, SETTLE_S))

    def watch(self, fleet, *words):
        """An observer of the log."""
        return watch.Watch(fleet, *words)

    def some_orders(self, fleet):
        """A log for limits to copy from."""
        run_load(fleet, "a log to copy", rate=500, seconds=self.short(10, 1), warmup=0)

    def stop_children(self):
        """What a scenario that failed has left running."""
        for child in self.children:
            child.kill()
            child.wait()
        self.children.clear()

    def close(self):
        """Nothing stays."""
        self.stop_children()
        self.stop_fleet()
        shutil.rmtree(self.folder, ignore_errors=True)
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")


class _Borrowed:
    """`with` over a fleet that outlives it."""

    def __init__(self, fleet):
        self.fleet = fleet

    def __enter__(self):
        return self.fleet

    def __exit__(self, *_):
        return False


def _arguments():
    parser = argparse.ArgumentParser(add_help=False)
    parser.add_argument("scenario", nargs="*")
    parser.add_argument("--checkout", required=True)
    parser.add_argument("--bin", required=True)
    parser.add_argument("--as-fleet", default="")
    parser.add_argument("--rate", type=float)
    parser.add_argument("--seconds", type=float)
    parser.add_argument("--events", type=float)
    parser.add_argument("--pairs", type=int)
    parser.add_argument("--runs", type=int, default=1)
    parser.add_argument("--median", nargs="+", default=[])
    parser.add_argument("--out", required=True)
    parser.add_argument("--quick", action="store_true")
    parser.add_argument("--no-limits", action="store_true")
    return parser.parse_args()


def _check(options):
    for name in options.scenario:
        if name not in SCENARIOS:
            sys.exit("bench: there is no scenario \"%s\"; there are: %s" % (name, " ".join(SCENARIOS)))
    for name in ("rate", "seconds", "events", "pairs", "runs"):
        value = getattr(options, name)
        if value is not None and not 0 < value < 1e9:
            sys.exit("bench: --%s takes a positive number" % name)


def _report(options, scenarios, failures):
    """What is written: the scenarios measured so far, and what follows from them."""
    judges = not options.no_limits and not options.quick
    return {"version": 1, "when": datetime.datetime.now(datetime.timezone.utc).isoformat(timespec="seconds"),
            "commit": measure.commit_of(options.checkout), "machine": measure.machine(), "quick": options.quick,
            "rate": options.rate, "seconds": options.seconds, "events": options.events, "pairs": options.pairs, "no_limits": options.no_limits,
            "scenarios": scenarios, "targets": targets.judge(scenarios, options.rate is not None, options.events is not None) if judges else [],
            "lost": targets.losses(scenarios), "failures": failures}


def _write(path, what):
    folder = os.path.dirname(path)
    if folder:
        os.makedirs(folder, exist_ok=True)
    with open(path + ".new", "w") as out:
        json.dump(what, out, indent=1)
        out.write("\n")
    os.replace(path + ".new", path)


def _one(bench, name, failures):
    """One scenario. Whatever stops it is a failure of this one, and does not stop the others."""
    bench.scenario = name
    bench.settle()
    try:
        bench.done[name] = SCENARIOS[name][0](bench)
        if sys.stderr.isatty():
            sys.stderr.write("\r\x1b[K")
        print(report.table(bench.done[name]) + "\n", flush=True)
    except Exception as error:  # a scenario has many ways to fail, and hours of results must not go with it
        if not isinstance(error, (BenchError, subprocess.CalledProcessError)):
            traceback.print_exc()
        text = str(error) or type(error).__name__
        failures.append("%s: %s" % (name, text))
        bench.stop_children()
        print("%s could not be measured: %s\n" % (name, text), file=sys.stderr, flush=True)
        bench.stop_fleet()


def _measure(options, path):
    """One run; its report, which is written after every scenario."""
    bench = Bench(options)
    failures = []
    try:
        for name in options.scenario or bench.quick(list(SCENARIOS), ALL):
            _one(bench, name, failures)
            _write(path, _report(options, bench.done, failures))
    finally:
        bench.close()
    return _report(options, bench.done, failures)


def _tell(found, path):
    """The end of a run; True when it passes."""
    if found["targets"]:
        print(report.targets_table(found["targets"]))
    for text in found["lost"]:
        print("Lost: " + text)
    for text in found["failures"]:
        print("Failed: " + text)
    print("The report is in %s" % path)
    return not (found["failures"] or found["lost"] or any(target["met"] is False for target in found["targets"]))


def _run(options):
    """All runs; True when the only one passes, or the medians of all do."""
    if options.runs == 1:
        return _tell(_measure(options, options.out), options.out)
    paths = ["%s-%d.json" % (options.out.removesuffix(".json"), n + 1) for n in range(options.runs)]
    for path in paths:
        _tell(_measure(options, path), path)
    return _tell_medians(options, paths)


def _tell_medians(options, paths):
    """Judges the medians of several reports; True when they pass."""
    reports = medians.read(paths)
    if os.path.realpath(options.out) in map(os.path.realpath, paths):
        raise BenchError("--out %s is one of the reports" % options.out)
    for name in report.SAME:
        setattr(options, name, reports[0].get(name))
    options.no_limits = all(one.get("no_limits") for one in reports)
    failures = ["%s: %s" % (path, text) for path, one in zip(paths, reports) for text in one["failures"]] + medians.missing(paths, reports)
    lost = ["%s: %s" % (path, text) for path, one in zip(paths, reports) for text in targets.losses(one["scenarios"])]
    found = {**_report(options, medians.of(reports), failures), "medians_of": paths, "lost": lost,
             "commit": ", ".join(dict.fromkeys(one["commit"] for one in reports))}
    for scenario in found["scenarios"].values():
        print(report.table(scenario) + "\n")
    _write(options.out, found)
    return _tell(found, options.out)


def main():
    """Exit code 0 when everything was measured, nothing was lost and every target that was measured is met or not decided."""
    options = _arguments()
    _check(options)
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(143))
    try:
        passed = _tell_medians(options, options.median) if options.median else _run(options)
    except BenchError as error:
        sys.exit("bench: %s" % error)
    except KeyboardInterrupt:
        print("bench: interrupted", file=sys.stderr)
        return 130
    return 0 if passed else 1


if __name__ == "__main__":
    sys.exit(main())
