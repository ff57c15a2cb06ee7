#!/usr/bin/python3
"""The chaos run: the real fleet and a real Postgres under load, while everything is killed, stopped and cut.

  run/test chaos [--minutes M | --kills N] [--seed S] [--rate R] [--json FILE]

  --minutes M    inject faults for so long, not counting the looks at the ledgers, and until every kind has come, which takes one
                 and a half to two minutes (default 5)
  --kills N      inject faults until so many processes were killed
  --seed S       draws kinds, victims and times of all faults, and the load; the same seed is the same plan
  --rate R       orders a second, default 600
  --standby W    yes: the fleet has a second orchestrator, and either is killed and stopped; no: one alone. By default
                 an even seed has one and an odd seed has none
  --look N       compare the three ledgers after every N faults (default 30)
  --stop-early   end at the first violation
  --verbose      one line a fault: when orders completed again, when what was killed was ready, what was done
  --keep         leave the fleet as it is when something was found (only when run without run/test, which cleans up)
  --json FILE    write the result there too

Three ledgers are compared: what clients were told, what the venues executed, and the log. Recovery is measured from a
fault to the completion, at each venue, of an order submitted after it. Of each kind of fault and victim at most one
recovery in a hundred, and one in any case, may be slower than the limit, and none may be slower than three times the
limit; of each kind over all its victims the p99 is held against the limit (with fewer than a hundred recoveries the slowest
but one, with fewer than fifty the slowest). Exit code 0: no violation, no limit missed, and enough unknown orders,
duplicates and orders a second to mean something."""
import argparse
import json
import os
import queue
import random
import signal
import subprocess
import sys
import threading
import time

import zmq

import logs
import wire
from checks import Checker
from faults import Injector, Plan
from fleet import CHECKOUT, Fleet
from machine import MachineWatch
from report import Report

HERE = os.path.dirname(os.path.realpath(__file__))
RECOVERY_SECONDS = 30     # after which a fault counts as not survived
PAUSE_SECONDS = 60        # for the load to have every command answered


class Child:
    """A process of ours that takes commands on stdin and says things on stdout, one JSON line each."""

    def __init__(self, arguments, env):
        self.process = subprocess.Popen(arguments, stdin=subprocess.PIPE, stdout=subprocess.PIPE, env=env, preexec_fn=die_with_parent)
        self.said = queue.Queue()
        threading.Thread(target=self.listen, daemon=True).start()

    def listen(self):
        for line in self.process.stdout:
            self.hear(json.loads(line))

    def hear(self, message):
        self.said.put(message)

    def say(self, line):
        self.process.stdin.write(line.encode() + b"\n")
        self.process.stdin.flush()

    def wait(self, what, seconds):
        """The next message of that name; None if it does not come."""
        end = time.monotonic() + seconds
        while True:
            try:
                message = self.said.get(timeout=max(0.0, end - time.monotonic()))
            except queue.Empty:
                return None
            if message["is_"] == what:
                return message

    def close(self):
        self.process.stdin.close()
        try:
            self.process.wait(5)
        except subprocess.TimeoutExpired:
            self.process.kill()


class LoadChild(Child):
    def __init__(self, told, rate, seed, fleet):
        self.stats, self.recovered, self.context = {}, {}, zmq.Context()
        super().__init__([sys.executable, os.path.join(HERE, "load.py"), told, str(rate), str(seed)], os.environ | fleet.env)

    def hear(self, message):
        if message["is_"] == "stats":
            self.stats = message
        elif message["is_"] == "recovered":
            self.recovered[message["id"]] = max(message["ms"].values()), message["late_ms"]
        else:
            self.said.put(message)

    def do(self, **command):
        self.say(json.dumps(command))

    def switch(self, on):
        self.do(do="switch", on=on)
        if self.wait("switched", RECOVERY_SECONDS) is None:
            raise SystemExit(f"chaos: nobody answered a {'halt' if on else 'resume'} within {RECOVERY_SECONDS} s")

    def pause(self):
        """Every command answered, every resting order on its way out. How much was told until then, in bytes."""
        self.do(do="pause")
        return self.wait("paused", PAUSE_SECONDS)

    def send_to(self, endpoint, frame):
        """One message from a stranger."""
        dealer = wire.connect(self.context, zmq.DEALER, endpoint)
        dealer.setsockopt(zmq.SNDTIMEO, 1000)
        dealer.setsockopt(zmq.LINGER, 500)
        dealer.send(frame)
        dealer.close()


class Proxy(Child):
    def __init__(self, folder, fleet):
        os.makedirs(folder)
        listen = os.path.join(folder, ".s.PGSQL.5432")
        super().__init__([sys.executable, os.path.join(HERE, "pgproxy.py"), listen, fleet.pg_socket], os.environ)

    def arm(self, what, until):
        """Waits for the next commit to meet it."""
        self.say(what)
        return self.done(what, until)

    def done(self, what, until="cut"):
        done = self.wait(until, RECOVERY_SECONDS)
        if done is None:
            raise SystemExit(f"chaos: no commit passed within {RECOVERY_SECONDS} s to {what}")
        return done["ns"]


def die_with_parent():
    import ctypes
    ctypes.CDLL(None).prctl(1, signal.SIGKILL)


class Run:
    def __init__(self, options, base, binaries):
        self.options, self.report, self.plan = options, Report(options.seed, options.standby), Plan(options.seed, options.standby)
        self.fleet = Fleet(base, binaries, options.seed, options.standby)
        self.told = os.path.join(base, "told")
        self.load = self.proxy = None
        self.missing = ""  # what the last recovery waited for in vain
        self.repair = None  # the supervisor of all was killed: what is killed next when `fleet up` has repaired that

    def start(self):
        print(f"seed {self.options.seed}, {'with' if self.options.standby else 'without'} a standby; starting the fleet", flush=True)
        self.fleet.up()
        folder = os.path.join(self.fleet.base, "pg")
        self.proxy = Proxy(folder, self.fleet)
        self.fleet.put_proxy(folder)
        self.load = LoadChild(self.told, self.options.rate, random.Random(self.options.seed).getrandbits(32), self.fleet)
        self.load.wait("ready", 10)
        self.checker = Checker(self.fleet, self.told)
        self.injector = Injector(self.fleet, self.load, self.proxy)
        self.machine = MachineWatch(self.fleet.base)
        self.began = self.load_began = time.monotonic()
        self.load.do(do="go")
        # The first orders tell that everything works before anything is broken.
        if not self.recovery(0, time.monotonic_ns(), {})[0]:
            raise SystemExit("chaos: the fleet does not trade")

    # ---- one fault ----
    def recovery(self, number, since_ns, killed):
        """(ms until orders sent after it had completed at every venue, ms until what was killed was ready, ms that the
        load itself was late meanwhile); 0: never."""
        self.load.do(do="mark", id=number, ns=since_ns)
        back_ms, away, end = 0.0, dict(killed), time.monotonic() + RECOVERY_SECONDS
        while time.monotonic() < end:
            for name, pid in list(away.items()):
                now, ready = self.fleet.state(name)
                if now and now != pid and ready:
                    del away[name]
                    back_ms = (time.monotonic_ns() - since_ns) / wire.MS
            if not away and number in self.load.recovered:
                trade_ms, late_ms = self.load.recovered.pop(number)
                return trade_ms, back_ms, late_ms
            time.sleep(0.02)
        self.missing = f"{', '.join(f'{name} ({self.fleet.state_text(name)})' for name in away)} did not come back" if away else "no order completed at every venue"
        return 0, 0, 0

    def fault(self):
        card = self.plan.next()
        time.sleep(card["pause_ms"] / 1000)
        since_ns, killed = self.injector.inject(card)
        trade_ms, back_ms, late_ms = self.recovery(card["number"], since_ns, killed)
        known = len(self.report.late)
        self.report.fault(card, trade_ms or RECOVERY_SECONDS * 1000, back_ms, late_ms,
                          lambda *stretch_ms: self.machine.between(*(since_ns + int(ms * wire.MS) for ms in stretch_ms)))
        begin_s = time.time() - (time.monotonic_ns() - since_ns) / 1e9
        for late in self.report.late[known:]:
            late["log"] = logs.between(self.fleet.home, begin_s, begin_s + late["ms"] / 1000)
        self.repair = card.get("then")
        if self.options.verbose:
            print(f"{card['number']:5} {trade_ms:6.0f} ms  ready {back_ms:6.0f} ms  {' '.join(f'{k}={v}' for k, v in card.items() if k != 'number')}", flush=True)
        if not trade_ms:
            self.report.violations.append(f"not survived: fault {card['number']}, {card['kind']} {card['victims']}: {self.missing} within "
                                          f"{RECOVERY_SECONDS} s")

    # ---- a look at the ledgers ----
    def look(self, last=False):
        self.report.load_seconds += time.monotonic() - self.load_began
        paused = self.load.pause()
        if paused is None:
            self.report.violations.append(f"stuck: commands of the load are not answered after {PAUSE_SECONDS} s")
            paused = {"told": os.path.getsize(self.told)}
        if self.repair:
            self.fleet.repair()
            self.plan.then(self.repair)
            self.repair = None
        found = self.checker.look(paused["told"], self.injector.sightings, last)
        self.report.looks += 1
        if found:
            where = f"found after fault {self.plan.dealt}, {time.monotonic() - self.began:.0f} s"
            self.report.violations += [f"{text} ({where})" for text in found]
        self.report.counts = self.checker.counts | {"duplicates": self.load.stats.get("duplicates", 0)}
        if not last:
            self.load_began = time.monotonic()
            self.load.do(do="go")

    def over(self):
        if self.options.stop_early and self.report.violations:
            return True
        if any(text.startswith("not survived") for text in self.report.violations[-3:]):
            return True  # a fleet that does not come back says nothing more
        if self.options.kills:
            return self.report.kills >= self.options.kills
        long_enough = self.report.load_seconds + time.monotonic() - self.load_began >= self.options.minutes * 60
        return long_enough and self.report.has_met_a_deck()

    def progress(self):
        stats, width = self.load.stats, 100
        text = (f"{time.monotonic() - self.began:5.0f} s  {self.plan.dealt} faults, {self.report.kills} kills, {stats.get('orders', 0)} orders, "
                f"{self.checker.counts['unknowns']} unknown, {len(self.report.violations)} violations")
        if sys.stdout.isatty():
            print(f"\r{text:<{width}}", end="", flush=True)
        elif time.monotonic() - self.said > 20:
            print(text, flush=True)
            self.said = time.monotonic()

    def go(self):
        self.said = time.monotonic()
        while not self.over():
            self.fault()
            if self.repair or self.plan.dealt % self.options.look == 0:
                self.look()
            self.progress()
        self.look(last=True)
        self.report.seconds = time.monotonic() - self.began
        self.report.lag_ms = self.load.stats.get("lag_ms", 0)
        self.report.judge()

    def stop(self):
        for child in (self.load, self.proxy):
            if child is not None:
                child.close()
        if not self.report.ok():
            subprocess.run([os.path.join(CHECKOUT, "tests/system/trouble"), self.fleet.base])  # what its logs have warned of last
        if self.options.keep and not self.report.ok():
            print(f"kept: {self.fleet.home}; {os.path.join(CHECKOUT, 'run/fleet')} --home {self.fleet.home} down --wipe deletes it", flush=True)
        else:
            self.fleet.down()


def options_of(arguments):
    parser = argparse.ArgumentParser(prog="run/test chaos", description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter, usage=argparse.SUPPRESS)
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--minutes", type=float, default=5, help=argparse.SUPPRESS)
    length.add_argument("--kills", type=int, default=0, help=argparse.SUPPRESS)
    parser.add_argument("--seed", type=int, default=random.SystemRandom().randrange(1, 1 << 31), help=argparse.SUPPRESS)
    parser.add_argument("--rate", type=int, default=600, help=argparse.SUPPRESS)
    parser.add_argument("--standby", choices=("yes", "no"), help=argparse.SUPPRESS)
    parser.add_argument("--look", type=int, default=30, help=argparse.SUPPRESS)
    parser.add_argument("--stop-early", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--verbose", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--keep", action="store_true", help=argparse.SUPPRESS)
    parser.add_argument("--json", help=argparse.SUPPRESS)
    options = parser.parse_args(arguments)
    if options.minutes <= 0 or options.kills < 0 or options.rate <= 0 or options.look <= 0 or options.seed <= 0:
        parser.error("numbers have to be positive")
    options.standby = options.standby == "yes" if options.standby else options.seed % 2 == 0
    return options


def main():
    options = options_of(sys.argv[1:])
    base, binaries = os.environ.get("ZVT_TEST_BASE"), os.environ.get("ZVT_BIN")
    if not base or not binaries:
        raise SystemExit("chaos: run this through run/test chaos")
    signal.signal(signal.SIGTERM, lambda *_: sys.exit(130))
    os.makedirs(base, exist_ok=True)
    run = Run(options, base, binaries)
    try:
        run.start()
        run.go()
    finally:
        run.stop()
    print(run.report.text(), flush=True)
    if os.environ.get("ZVT_TEST_RESULTS"):
        run.report.write_results(os.environ["ZVT_TEST_RESULTS"])
    if options.json:
        with open(options.json, "w") as file:
            json.dump(run.report.as_json(), file, indent=1)
    return 0 if run.report.ok() else 1


if __name__ == "__main__":
    sys.exit(main())
