"""The faults: a plan drawn from the seed, and how each one is done.

The plan is a deck of cards, shuffled by the seed and dealt again when it is used up, so that every kind and every
victim comes as often as its cards, and the same seed gives the same kinds, victims and times."""
import random
import signal
import time

import wire
from fleet import PROCESSES, READY_SECONDS, STANDBY, VENUES

STOPS_MS = (50, 300, 700, 1500, 3000)
SILENT_MS = 2500, 4000  # a venue that says nothing for so long leaves hundreds of orders unknown, other faults a few at most
ORDER_PATH = ("orchestrator", "risk", "executor", "gateway-alpha", "gateway-beta", "venue-alpha", "venue-beta", "portfolio")
AT_VENUES = ("gateway-alpha", "gateway-beta", "venue-alpha", "venue-beta", "executor")

# Kind -> how many milliseconds the fleet may take until it trades again, and a killed process that trading does not need until
# it is ready again; report.py says how many may be slower. After an immediate restart of Postgres they count from when it takes
# connections again, after a stop from its end. `again` is a kill that met a process within a second of its start, which the
# supervisor answers only when that second is over.
LIMITS_MS = {"kill": 1000, "supervise": 1000, "logger": 1000, "svscan": 1000, "stop": 1000, "stop-supervise": 1000, "stop-logger": 1000,
             "stop-svscan": 1000, "stop-postmaster": 1000, "twice": 3000, "again": 3000, "pair": 3000, "backend": 3000, "backend-stop": 1000,
             "postmaster": 3000, "immediate": 2000, "everything": 5000, "cut": 3000, "stall": 1000, "late-writer": 1000,
             "halt": 1000, "halt-kill": 1000, "stop-works": 3000, "wake-kill": 3000, "halt-standby": 1000}
# What a fault counts for when all of it was met.
KILLS = {"kill": 1, "supervise": 1, "logger": 1, "svscan": 1, "twice": 2, "again": 1, "pair": 2, "backend": 1, "postmaster": 1, "everything": 1,
         "halt-kill": 1, "wake-kill": 1, "halt-standby": 2}
# Only with a standby, and from the moment that stops or kills the one that works: its patience (takeover_ms) and a second.
STANDBY_KINDS = frozenset(("stop-works", "wake-kill", "halt-standby"))
AGAIN_MS, TAKEOVER_SECONDS = 1000, 10


class Plan:
    def __init__(self, seed, standby):
        self.random, self.cards, self.dealt, self.standby = random.Random(seed), [], 0, standby
        self.processes = (*PROCESSES, STANDBY) if standby else PROCESSES

    def next(self):
        if not self.cards:
            self.cards = self.deck()
            self.random.shuffle(self.cards)
        self.dealt += 1
        card = self.cards.pop()
        card["number"], card["pause_ms"] = self.dealt, self.random.randrange(20, 250)
        return card

    def then(self, card):
        """Comes next."""
        self.cards.append(card)

    def deck(self):
        rng = self.random
        one = lambda kind, victim, **more: {"kind": kind, "victims": [victim], **more}
        cards = [one("kill", name) for name in self.processes for _ in range(2)]
        cards += [one("twice", name, after_ms=rng.randrange(50, 900)) for name in rng.sample(self.processes, 4)]
        cards += [one("supervise", name) for name in rng.sample(self.processes, 2)]
        cards += [one("logger", rng.choice(self.processes))]
        cards += [one("svscan", "svscan", then={"kind": "kill", "victims": [rng.choice(self.processes)]})]
        cards += [one(kind, victim, ms=rng.randrange(50, 4000)) for kind, victim in (
            ("stop-supervise", rng.choice(self.processes)), ("stop-logger", rng.choice(self.processes)), ("stop-svscan", "svscan"),
            ("stop-postmaster", "postgres"))]
        cards += [one("stop", name, ms=rng.choice(STOPS_MS)) for name in rng.sample(ORDER_PATH, 4)]
        cards += [one("stop", rng.choice(VENUES), ms=rng.randrange(*SILENT_MS)), one("stop", rng.choice(AT_VENUES), ms=rng.randrange(1500, 4000))]
        cards += [one("stop", rng.choice(("replayer", "checkpointer", "maker")), ms=2000)]
        cards += [{"kind": "pair", "victims": rng.sample(self.processes, 2), "after_ms": rng.choice((0, 50, 200, 400))} for _ in range(3)]
        cards += [one("backend", "postgres", pick=rng.random()) for _ in range(2)]
        cards += [one("backend-stop", "postgres", pick=rng.random(), ms=rng.randrange(100, 2000))]
        cards += [one("postmaster", "postgres"), one("immediate", "postgres"), one("immediate", "postgres")]
        cards += [{"kind": "everything", "victims": [*self.processes, "postgres"], "supervisors": rng.random() < 0.5}]
        cards += [one("cut", "commit", when=when) for when in ("before", "during", "after", "answered")]
        cards += [one("stall", "commit", ms=rng.randrange(200, 3000))]
        cards += [one("late-writer", "orchestrator", venue=rng.choice(VENUES))]
        cards += [one("halt", "switch", ms=rng.randrange(100, 600)), one("halt-kill", "orchestrator", ms=rng.randrange(100, 600))]
        return cards + self.standby_cards() if self.standby else cards

    def standby_cards(self):
        rng = self.random
        one = lambda kind, **more: {"kind": kind, "victims": ["orchestrator"], **more}
        cards = [one("stop-works", ms=rng.randrange(3000, 5000)) for _ in range(2)]
        cards += [one("wake-kill", after_ms=rng.choice((0, 50, 300, 1000))) for _ in range(2)]
        return cards + [one("halt-standby"), {"kind": "stop", "victims": [STANDBY], "ms": rng.choice(STOPS_MS)}]


class Injector:
    """Does what a card says. Each function returns (when the fault was over and recovery began, monotonic ns; the
    processes that have to come back, with the pids they had)."""

    def __init__(self, fleet, load, proxy):
        self.fleet, self.load, self.proxy, self.forged = fleet, load, proxy, 0
        self.killed = 0      # by the present fault
        self.sightings = []  # of ledgers, see Checker.compare_sightings

    def inject(self, card):
        card["names"] = [self.fleet.who(victim) for victim in card["victims"]]
        self.killed = 0
        done = getattr(self, "do_" + card["kind"].replace("-", "_"))(card)
        card["killed"] = self.killed
        return done

    def end(self, pid):
        """SIGKILL; false when there was nobody to kill."""
        met = self.fleet.kill(pid)
        self.killed += met
        return met

    def kill(self, name):
        pid = self.fleet.pid(name)
        self.end(pid)
        return time.monotonic_ns(), {name: pid}

    def do_kill(self, card):
        name = card["names"][0]
        if self.fleet.age_ms(self.fleet.pid(name)) < AGAIN_MS:
            card["kind"] = "again"
        return self.kill(name)

    def do_twice(self, card):
        """Again within a second: as soon as it lives again, or after_ms later if that is sooner than a second."""
        name, began = card["names"][0], time.monotonic()
        first = self.kill(name)[1][name]
        while self.fleet.pid(name) == first:
            time.sleep(0.01)
        time.sleep(max(0.0, min(0.95, card["after_ms"] / 1000) - (time.monotonic() - began)))
        return self.kill(name)

    def do_pair(self, card):
        one, other = card["names"]
        before = self.kill(one)[1]
        time.sleep(card["after_ms"] / 1000)
        began, after = self.kill(other)
        return began, before | after

    def do_supervise(self, card):
        """Its process dies with it: nobody must run twice."""
        name = card["names"][0]
        pid = self.fleet.pid(name)
        self.end(self.fleet.supervisor(name))
        return time.monotonic_ns(), {name: pid}

    def do_logger(self, card):
        name = card["names"][0] + "/log"
        return self.kill(name)

    def do_svscan(self, card):
        """Nothing trades less for it; only `fleet up` brings it back, see Run.look."""
        self.end(self.fleet.svscan())
        return time.monotonic_ns(), {}

    def stop(self, pid, card):
        self.fleet.kill(pid, signal.SIGSTOP)
        time.sleep(card["ms"] / 1000)
        self.fleet.kill(pid, signal.SIGCONT)
        return time.monotonic_ns(), {}

    def do_stop(self, card):
        return self.stop(self.fleet.pid(card["names"][0]), card)

    def do_stop_supervise(self, card):
        return self.stop(self.fleet.supervisor(card["names"][0]), card)

    def do_stop_logger(self, card):
        return self.stop(self.fleet.pid(card["names"][0] + "/log"), card)

    def do_stop_svscan(self, card):
        return self.stop(self.fleet.svscan(), card)

    def do_stop_postmaster(self, card):
        """Its backends go on; nobody new gets in."""
        return self.stop(self.fleet.pid("postgres"), card)

    def backend(self, card):
        """Waits for one if Postgres has none just now."""
        end = time.monotonic() + READY_SECONDS
        found = self.fleet.backends()
        while not found and time.monotonic() < end:
            time.sleep(0.02)
            found = self.fleet.backends()
        if not found:
            raise SystemExit(f"chaos: Postgres has had no backend for {READY_SECONDS} s")
        title, pid = found[int(card["pick"] * len(found))]
        card["detail"] = title.split(" [local]")[0]
        return pid

    def do_backend(self, card):
        """One that ended by itself meanwhile is no fault: another is taken."""
        while not self.end(self.backend(card)):
            time.sleep(0.01)
        return time.monotonic_ns(), {}

    def do_backend_stop(self, card):
        return self.stop(self.backend(card), card)

    def do_postmaster(self, card):
        return self.kill("postgres")

    def do_immediate(self, card):
        """What a crash of the machine leaves of Postgres, without its disks: nothing is flushed, nobody says goodbye."""
        pid = self.fleet.pid("postgres")
        self.fleet.kill(pid, signal.SIGQUIT)
        return time.monotonic_ns(), {"postgres": pid}

    def do_everything(self, card):
        pids = {name: self.fleet.pid(name) for name in card["names"]}
        supervisors = [self.fleet.supervisor(name) for name in pids] if card["supervisors"] else []
        for pid in [*supervisors, *pids.values()]:
            self.end(pid)
        return time.monotonic_ns(), pids

    def do_cut(self, card):
        card["detail"] = card["when"]
        return self.proxy.arm(f"cut {card['when']}", "cut"), {}

    def do_stall(self, card):
        """While a commit is held back, nothing that it would commit may have reached a venue."""
        self.proxy.arm(f"stall {card['ms']}", "holding")
        time.sleep(card["ms"] * 0.6 / 1000)
        self.sightings.append(self.fleet.sight())
        return self.proxy.done(f"stall {card['ms']}"), {}

    def do_late_writer(self, card):
        """A writer that was replaced says something after all: an order under the epoch before, straight to executor and
        gateway, as a paused orchestrator would that wakes up."""
        self.forged += 1
        epoch, name = self.load.stats.get("epoch", 0) - 1, f"zombie-{self.forged}"
        for number, endpoint in enumerate(("execute", f"order-entry.{card['venue']}")):
            order = [wire.ORDER_SEND, f"{name}-{number}", card["venue"], "BTC/USDT", wire.BUY, wire.MARKET, wire.IOC, False, wire.E8 // 100, 0,
                     max(0, epoch), time.time_ns() + 5 * wire.SECOND]
            self.load.send_to(f"ipc://{self.fleet.env['ZVT_RUNTIME']}/{endpoint}", wire.pack(order))
        return time.monotonic_ns(), {}

    def do_halt(self, card):
        self.load.switch(True)
        time.sleep(card["ms"] / 1000)
        self.load.switch(False)
        return time.monotonic_ns(), {}

    def do_halt_kill(self, card):
        """The halt outlives the orchestrator: nothing is submitted until somebody resumes."""
        self.load.switch(True)
        pids = self.kill(card["names"][0])[1]
        self.load.switch(True)
        time.sleep(card["ms"] / 1000)
        self.load.switch(False)
        return time.monotonic_ns(), pids

    # ---- with a standby ----
    def do_stop_works(self, card):
        """Counts from the stop: the standby has to notice it by itself. Woken, it leaves and comes back."""
        name = card["names"][0]
        pid, began = self.fleet.pid(name), time.monotonic_ns()
        self.stop(pid, card)
        return began, {name: pid} if self.fleet.holder() != name else {}

    def do_wake_kill(self, card):
        """Who was stopped goes on when its successor is killed, at once or a moment after it has taken the lease."""
        name = card["names"][0]
        pid, end = self.fleet.pid(name), time.monotonic() + TAKEOVER_SECONDS
        self.fleet.kill(pid, signal.SIGSTOP)
        while self.fleet.holder() == name and time.monotonic() < end:
            time.sleep(0.02)
        time.sleep(card["after_ms"] / 1000)
        began, away = self.kill(self.fleet.who("orchestrator"))
        self.fleet.kill(pid, signal.SIGCONT)
        return began, away | {name: pid}

    def do_halt_standby(self, card):
        """The standby is started anew while trading is halted; what it knows of the halt must not outlive the resume."""
        waits, end = self.fleet.who(STANDBY), time.monotonic() + TAKEOVER_SECONDS
        self.load.switch(True)
        pid = self.kill(waits)[1][waits]
        while time.monotonic() < end:
            now, ready = self.fleet.state(waits)
            if now not in (0, pid) and ready:
                break
            time.sleep(0.02)
        self.load.switch(False)
        return self.kill(card["names"][0])
