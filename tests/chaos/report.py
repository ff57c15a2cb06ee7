"""What a chaos run has found, in words and as JSON.

Of each row (a kind of fault and its victim) at most one recovery in a hundred, and one in any case, may be slower than the
limit, and none may be slower than three times the limit. So the p99 is held against the limit from a hundred on, with fewer
the slowest but one. Of each kind over all its victims the p99 is held against the limit; with fewer than a hundred
recoveries the slowest but one, with fewer than fifty the slowest.
The same holds for being ready again where that has a limit; over all victims from fifty on, and without the checkpointer,
which has a limit of its own."""
import collections
import math
import os

from faults import KILLS, LIMITS_MS, ORDER_PATH, STANDBY_KINDS

# Below these the run has not tried hard enough to say anything, per minute of faults.
UNKNOWNS_PER_MINUTE, DUPLICATES_PER_MINUTE, LATE_PER_MINUTE, ORDERS_PER_SECOND = 10, 60, 5, 500
DECK_FAULTS = 80  # a deck of faults and some: with fewer it is chance which kinds came, and whether one that leaves orders unknown did
P99_SAMPLES_MIN, BUT_ONE_SAMPLES_MIN = 100, 50
SLOW_ALLOWED, SLOW_ONE_IN = 1, 100  # recoveries of a row that may be slower than the limit: in any case, and of so many
SLOWEST_LIMITS = 3                  # none may be slower than so many times the limit
MACHINE_SHARE_MAX = 0.02    # of all faults, of each kind and of each victim may owe a limit to the machine; beyond, it is not decided
# Trading does not need who is outside the order's path: that it was ready again after these has a limit too. The checkpointer is when
# it has followed the log to its end from its last checkpoint, and nobody waits for it.
READY_LIMITS_MS, READY_LATER_MS = {"kill": 1000, "twice": 3000, "again": 3000}, {"checkpointer": 3000}

# How a violation's text begins -> the check that it fails.
CHECKS = {"told": "clients: what was acknowledged, answered and published is in the log",
          "log": "log: no gap, no fork, no older writer after a newer one",
          "twice": "nothing twice: no request made two orders, no order executed more than it is for",
          "venue": "venues: their ledgers and the log say the same, and nothing was sent that was not committed before",
          "stale": "expiry: no venue took an order after the expires_at of its intent",
          "position": "positions: each comes of the one before and its fill, with profit and commission, and together they are the venues' fills",
          "limit": "risk: no position beyond its limit", "halt": "halt: nothing is submitted while trading is halted",
          "stuck": "everything in flight came to its end, and no order stayed unknown",
          "not survived": "orders completed at every venue again after every fault",
          "alert": "no report that the log cannot explain", "account": "no account halted by an unexplained difference",
          "dead letter": "no dead letter", "state": "orchestrator, risk and portfolio hold the fold of the log", "fleet verify": "fleet verify passes, while the run goes on and at its end"}

# A fault: ms until orders completed at every venue, until what was killed was ready; and of both without what the machine took.
Sample = collections.namedtuple("Sample", "trade_ms back_ms charged_ms ready_charged_ms")
# ready is None when nothing is promised for it.
Row = collections.namedtuple("Row", "kind victim times p50_ms p99_ms max_ms ready_p99_ms trade ready")


class Held(collections.namedtuple("Held", "times slow slow_allowed slowest_ms limit_ms")):
    """The recoveries of one row, held against its limit."""
    @classmethod
    def against(cls, limit_ms, values):
        return cls(len(values), sum(value > limit_ms for value in values), max(SLOW_ALLOWED, len(values) // SLOW_ONE_IN), max(values), limit_ms)

    def ok(self):
        return self.slow <= self.slow_allowed and self.slowest_ms <= SLOWEST_LIMITS * self.limit_ms

    def text(self):
        return (f"{self.times} times, {self.slow} over {self.limit_ms:.0f} ms (allowed {self.slow_allowed}), "
                f"slowest {self.slowest_ms:.0f} ms (allowed {SLOWEST_LIMITS * self.limit_ms:.0f} ms)")


def quantile(values, share):
    """The nearest rank: the smallest value that so large a share does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def judged(values):
    """What the limit is held against over all victims of a kind: p99; with fewer than a hundred samples the maximum, or, from
    fifty on, the largest but one."""
    if len(values) >= P99_SAMPLES_MIN:
        return quantile(values, 0.99)
    return sorted(values)[-2 if len(values) >= BUT_ONE_SAMPLES_MIN else -1]


def victim_of(card):
    """As the rows name it."""
    return {"everything": "everything", "pair": "two processes"}.get(card["kind"], card["victims"][0])


class Report:
    def __init__(self, seed, standby):
        self.standby = standby
        self.seed, self.rows, self.kinds, self.kills, self.violations, self.problems = seed, {}, {}, 0, [], []
        self.seconds, self.load_seconds, self.counts, self.looks, self.late = 0.0, 0.0, {}, 0, []
        self.checks, self.undecided, self.slow, self.lag_ms = [], [], float(os.environ.get("ZVT_TEST_SLOW", 1)), 0

    def limit(self, kind):
        return LIMITS_MS[kind] * self.slow

    def ready_limit(self, kind, victim):
        """None when trading needs the victim, and so tells by itself, or when no figure is promised."""
        if kind not in READY_LIMITS_MS or victim in ORDER_PATH:
            return None
        return max(READY_LIMITS_MS[kind], READY_LATER_MS.get(victim, 0)) * self.slow

    def fault(self, card, trade_ms, back_ms, late_ms, between):
        """One fault and how long until orders completed at every venue, and until what was killed was ready again; how late the
        load was itself meanwhile; and what tells of two moments, in ms from the fault, what the machine did between them."""
        begin_ms = min(trade_ms, back_ms) if card["kind"] == "immediate" else 0.0
        trade_ms -= begin_ms
        kind, victim = card["kind"], victim_of(card)
        self.kinds[kind] = self.kinds.get(kind, 0) + 1
        self.kills += min(KILLS.get(kind, 0), card.get("killed", 0))
        charged_ms = self.charge(card, "trades", trade_ms, self.limit(kind), late_ms, between(begin_ms, begin_ms + trade_ms))
        ready_limit_ms, ready_charged_ms = self.ready_limit(kind, victim), back_ms
        if ready_limit_ms is not None:
            ready_charged_ms = self.charge(card, "ready", back_ms, ready_limit_ms, late_ms, between(0.0, back_ms))
        self.rows.setdefault((kind, victim), []).append(Sample(trade_ms, back_ms, charged_ms, ready_charged_ms))

    def charge(self, card, what, ms, limit_ms, late_ms, machine):
        """What of it counts: not the time in which the disk did not answer or the processors were another's. It is taken off, so that
        a recovery that lasts longer stays beyond its limit."""
        charged_ms = ms - min(ms, max(machine))
        if ms > limit_ms:
            self.late.append({"fault": card["number"], "kind": card["kind"], "victim": victim_of(card), "victims": card["victims"], "what": what, "ms": round(ms),
                              "load_late_ms": late_ms, "disk_ms": round(machine.disk_ms), "stolen_ms": round(machine.stolen_ms),
                              "owed_to_machine": charged_ms <= limit_ms})
        return charged_ms

    def charged(self, kind):
        return [s.charged_ms for (of_kind, _), samples in self.rows.items() if of_kind == kind for s in samples]

    def ready_charged(self, kind):
        """Of all victims with the limit of the kind."""
        return [s.ready_charged_ms for (of_kind, victim), samples in self.rows.items()
                if of_kind == kind and victim not in READY_LATER_MS and self.ready_limit(kind, victim) is not None for s in samples]

    def owed(self):
        """(of what, recoveries that only the machine's part brought within their limit, how many may be): of all faults, of each kind,
        of each victim."""
        owed = [late for late in self.late if late["owed_to_machine"]]
        of_kinds = [(kind, sum(late["kind"] == kind for late in owed), times) for kind, times in sorted(self.kinds.items())]
        of_rows = [(f"{kind} {victim}", sum((late["kind"], late["victim"]) == (kind, victim) for late in owed), len(samples))
                   for (kind, victim), samples in sorted(self.rows.items())]
        everything = [("all faults", len(owed), sum(self.kinds.values()))]
        return [(of, count, max(1, int(MACHINE_SHARE_MAX * times))) for of, count, times in everything + of_kinds + of_rows]

    def row(self, kind, victim, samples):
        """All in ms; what is told is as it was measured, what is held against the limits is without what the machine took."""
        trade, back, ready_limit_ms = [s.trade_ms for s in samples], [s.back_ms for s in samples], self.ready_limit(kind, victim)
        ready = None if ready_limit_ms is None else Held.against(ready_limit_ms, [s.ready_charged_ms for s in samples])
        return Row(kind, victim, len(samples), quantile(trade, 0.5), quantile(trade, 0.99), max(trade), quantile(back, 0.99),
                   Held.against(self.limit(kind), [s.charged_ms for s in samples]), ready)

    def table(self):
        """A row for each kind and victim, then, in judge(), each kind over all victims."""
        return [self.row(kind, victim, samples) for (kind, victim), samples in sorted(self.rows.items())]

    def has_met_a_deck(self):
        """Or it is chance what was met."""
        return sum(self.kinds.values()) >= DECK_FAULTS

    def judge(self):
        """What speaks against the run besides violations of the promise; every check is counted."""
        minutes = max(self.load_seconds / 60, 0.01)
        for prefix, text in CHECKS.items():
            self.checks.append((text, not any(v.startswith(prefix) for v in self.violations)))
        for row in self.table():
            for what, held in (("recovery", row.trade), ("ready again", row.ready)):
                if held is not None:
                    self.checks.append((f"{what}: {row.kind} {row.victim}, {held.text()}", held.ok()))
        for kind in sorted(self.kinds):
            charged = self.charged(kind)
            text = f"recovery: {kind}, {len(charged)} times, p99 {judged(charged):.0f} ms of {self.limit(kind):.0f} ms"
            self.checks.append((text, judged(charged) <= self.limit(kind)))
            ready = self.ready_charged(kind)
            if len(ready) >= BUT_ONE_SAMPLES_MIN:
                limit_ms = READY_LIMITS_MS[kind] * self.slow
                self.checks.append((f"ready again: {kind}, {len(ready)} times, p99 {judged(ready):.0f} ms of {limit_ms:.0f} ms", judged(ready) <= limit_ms))
        for of, count, most in self.owed():
            text = f"coverage: {count} recoveries of {of} were late by the machine, allowed are {most}"
            if count > most:
                self.undecided.append(text)
            elif of == "all faults":
                self.checks.append((text, True))
        rate = self.counts.get("orders", 0) / max(self.load_seconds, 1)
        for what, seen, wanted in (("unknown orders", self.counts.get("unknowns", 0), UNKNOWNS_PER_MINUTE * minutes if self.has_met_a_deck() else 0),
                                   ("duplicates answered", self.counts.get("duplicates", 0), DUPLICATES_PER_MINUTE * minutes),
                                   ("orders that ended because they were late", self.counts.get("late", 0), LATE_PER_MINUTE * minutes),
                                   ("orders a second in the log", rate, ORDERS_PER_SECOND),
                                   ("looks with fleet verify", self.counts.get("verified", 0), max(1, self.looks // 10)),
                                   ("orders seen in a ledger while a commit was held back", self.counts.get("sighted", 0), self.kinds.get("stall", 0))):
            self.checks.append((f"coverage: {seen:.0f} {what}, wanted are {wanted:.0f}", seen >= wanted))
        missing = sorted(set(LIMITS_MS) - set(self.kinds) - {"again"} - (set() if self.standby else STANDBY_KINDS))  # "again" comes by chance
        if self.has_met_a_deck():
            self.checks.append((f"coverage: faults of every kind{', but ' + ', '.join(missing) if missing else ''}", not missing))
        self.problems = [text for text, ok in self.checks if not ok and text not in CHECKS.values()]

    def write_results(self, path):
        """One line a check, as run/test counts them."""
        with open(path, "a") as file:
            file.writelines(f"{'ok' if ok else 'FAILED'} {text}\n" for text, ok in self.checks)
            file.writelines(f"undecided {text}\n" for text in self.undecided)

    def ok(self):
        return not self.violations and not self.problems

    def as_json(self):
        plain = lambda fields: {name: plain(value._asdict()) if isinstance(value, Held) else round(value, 1) if isinstance(value, float) else value
                                for name, value in fields.items()}
        recovery = [plain(row._asdict()) for row in self.table()]
        return {"seed": self.seed, "standby": self.standby, "ok": self.ok(), "seconds": round(self.seconds), "load_seconds": round(self.load_seconds), "kills": self.kills,
                "faults": self.kinds, "counts": self.counts, "looks": self.looks, "violations": self.violations, "problems": self.problems, "undecided": self.undecided, "load_lag_ms": self.lag_ms,
                "recovery": recovery, "late": self.late}

    def text(self):
        rate = self.counts.get("orders", 0) / max(self.load_seconds, 1)
        lines = ["", f"{'fault':<16}{'victim':<16}{'times':>6}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'ready p99':>11}{'limit':>7}"]
        for row in self.table():
            lines.append(f"{row.kind:<16}{row.victim:<16}{row.times:>6}{row.p50_ms:>9.0f}{row.p99_ms:>9.0f}{row.max_ms:>9.0f}{row.ready_p99_ms:>11.0f}"
                         f"{row.trade.limit_ms:>7.0f}{'' if row.trade.ok() else '  too slow'}"
                         f"{'' if row.ready is None or row.ready.ok() else '  ready too late'}")
        for late in self.late:
            lines.append(f"beyond its limit: fault {late['fault']}, {late['kind']} {' '.join(late['victims'])}, {late['what']} after {late['ms']} ms; the disk did not "
                         f"answer for {late['disk_ms']} ms, {late['stolen_ms']} ms of the processors were stolen; the load was {late['load_late_ms']} ms late, "
                         "which excuses nothing")
            lines += [f"           | {line}" for line in late.get("log", [])]
        lines += ["", f"seed {self.seed}, {'with' if self.standby else 'without'} a standby, {self.seconds:.0f} s: {self.kills} kills, {sum(self.kinds.values())} faults "
                      f"({', '.join(f'{count} {kind}' for kind, count in sorted(self.kinds.items()))})",
                  f"orders {self.counts.get('orders', 0)} ({rate:.0f}/s), fills {self.counts.get('fills', 0)}, unknown {self.counts.get('unknowns', 0)}, "
                      f"late {self.counts.get('late', 0)}, "
                  f"duplicates {self.counts.get('duplicates', 0)}, told {self.counts.get('acks', 0)} acknowledgements, "
                  f"{self.counts.get('replies', 0)} replies, {self.counts.get('heard', 0)} batches, {self.looks} looks at the ledgers, "
                  f"{self.counts.get('verified', 0)} with fleet verify, {self.counts.get('sighted', 0)} orders sighted while a commit was held back"]
        lines.append(f"the load itself was up to {self.lag_ms} ms late; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        # What must never be first, then what should have come back.
        ordered = sorted(self.violations, key=lambda text: text.startswith(("stuck", "not survived")))
        lines += [f"VIOLATION {text}" for text in ordered[:20]]
        lines += [f"FAILED {text}" for text in self.problems]
        lines += [f"not decided {text}" for text in self.undecided]
        lines.append(f"violations: {len(self.violations)}")
        return "\n".join(lines)
