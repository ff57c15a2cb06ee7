"""What a chaos run has found, in words and as JSON."""
import collections
import math
import os

from faults import KILLS, LIMITS_MS, STANDBY_KINDS

# Below these the run has not tried hard enough to say anything, per minute of faults.
UNKNOWNS_PER_MINUTE, DUPLICATES_PER_MINUTE, ORDERS_PER_SECOND = 10, 60, 500
KINDS_MIN_FAULTS = 120  # from so many faults on every kind must have come
P99_SAMPLES_MIN, BUT_ONE_SAMPLES_MIN = 100, 50
P90_SAMPLES_MIN = 10        # of one victim
LOAD_LATE_MS = 100          # twice of what it is on a machine that has nothing else to do
MACHINE_SHARE_MAX = 0.02    # of all faults may owe a limit to the machine; beyond, the run says nothing

# How a violation's text begins -> the check that it fails.
CHECKS = {"told": "clients: what was acknowledged, answered and published is in the log",
          "log": "log: no gap, no fork, no older writer after a newer one",
          "twice": "nothing twice: no request made two orders, no order executed more than it is for",
          "venue": "venues: their ledgers and the log say the same, and nothing was sent that was not committed before",
          "position": "positions: each continues from the one before, and together they are the venues' fills",
          "limit": "risk: no position beyond its limit", "halt": "halt: nothing is submitted while trading is halted",
          "stuck": "everything in flight came to its end, and no order stayed unknown",
          "not survived": "orders completed at every venue again after every fault",
          "alert": "no report that the log cannot explain", "account": "no account halted by an unexplained difference",
          "dead letter": "no dead letter", "state": "orchestrator, risk and portfolio hold the fold of the log", "fleet verify": "fleet verify passes, while the run goes on and at its end"}

# A fault: ms until orders completed at every venue, until what was killed was ready; and of the first what the machine took.
Sample = collections.namedtuple("Sample", "trade_ms back_ms machine_ms")
Row = collections.namedtuple("Row", "kind victim times p50_ms p99_ms max_ms ready_p99_ms judged_ms limit_ms")


def quantile(values, share):
    """The nearest rank: the smallest value that so large a share does not exceed."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)]


def judged(values):
    """What a limit is held against: p99; with fewer than a hundred samples the maximum, or, from fifty on, the largest but one."""
    if len(values) >= P99_SAMPLES_MIN:
        return quantile(values, 0.99)
    return sorted(values)[-2 if len(values) >= BUT_ONE_SAMPLES_MIN else -1]


class Report:
    def __init__(self, seed, standby):
        self.standby = standby
        self.seed, self.rows, self.kinds, self.kills, self.violations, self.problems = seed, {}, {}, 0, [], []
        self.seconds, self.load_seconds, self.counts, self.looks, self.late = 0.0, 0.0, {}, 0, []
        self.checks, self.slow, self.lag_ms = [], float(os.environ.get("ZVT_TEST_SLOW", 1)), 0

    def limit(self, kind):
        return LIMITS_MS[kind] * self.slow

    def fault(self, card, trade_ms, back_ms, late_ms, disk_ms):
        """One fault and how long until orders completed at every venue, and until what was killed was ready again; how late the
        load was itself meanwhile, and how long the disk did not answer."""
        if card["kind"] == "immediate":
            trade_ms = max(0.0, trade_ms - back_ms)
        self.kinds[card["kind"]] = self.kinds.get(card["kind"], 0) + 1
        self.kills += KILLS.get(card["kind"], 0)
        victim = "everything" if card["kind"] == "everything" else "two processes" if card["kind"] == "pair" else card["victims"][0]
        machine_ms = min(trade_ms, max(late_ms if late_ms >= LOAD_LATE_MS else 0, disk_ms))
        self.rows.setdefault((card["kind"], victim), []).append(Sample(trade_ms, back_ms, machine_ms))
        if trade_ms > self.limit(card["kind"]):
            self.late.append({"fault": card["number"], "kind": card["kind"], "victims": card["victims"], "ms": round(trade_ms), "ready_ms": round(back_ms),
                              "load_late_ms": late_ms, "disk_ms": round(disk_ms), "owed_to_machine": trade_ms - machine_ms <= self.limit(card["kind"])})

    def charged(self, kind, victim=None):
        """What of each recovery counts: not the time in which the disk did not answer, or the load, which is no part of the fleet,
        was late itself. It is taken off, so that a recovery that lasts longer stays beyond its limit."""
        return [s.trade_ms - s.machine_ms for (of_kind, of), samples in self.rows.items() if of_kind == kind and victim in (None, of) for s in samples]

    def row(self, kind, victim, samples):
        """All in ms. Of one victim p90 is held against the limit, because a few dozen samples have no p99."""
        trade, back, charged = [s.trade_ms for s in samples], [s.back_ms for s in samples], self.charged(kind, victim)
        return Row(kind, victim, len(samples), quantile(trade, 0.5), quantile(trade, 0.99), max(trade), quantile(back, 0.99),
                   quantile(charged, 0.9 if len(charged) >= P90_SAMPLES_MIN else 1), self.limit(kind))

    def table(self):
        """A row for each kind and victim, then, in judge(), each kind over all victims."""
        return [self.row(kind, victim, samples) for (kind, victim), samples in sorted(self.rows.items())]

    def judge(self):
        """What speaks against the run besides violations of the promise; every check is counted."""
        minutes = max(self.load_seconds / 60, 0.01)
        for prefix, text in CHECKS.items():
            self.checks.append((text, not any(v.startswith(prefix) for v in self.violations)))
        for row in self.table():
            if row.times >= P90_SAMPLES_MIN:
                text = f"recovery: {row.kind} {row.victim}, {row.times} times, p90 {row.judged_ms:.0f} ms of {row.limit_ms:.0f} ms"
                self.checks.append((text, row.judged_ms <= row.limit_ms))
        for kind in sorted(self.kinds):
            charged = self.charged(kind)
            text = f"recovery: {kind}, {len(charged)} times, p99 {judged(charged):.0f} ms of {self.limit(kind):.0f} ms"
            self.checks.append((text, judged(charged) <= self.limit(kind)))
        owed, most = sum(late["owed_to_machine"] for late in self.late), max(1, MACHINE_SHARE_MAX * sum(self.kinds.values()))
        self.checks.append((f"coverage: {owed} recoveries were late by the machine, allowed are {most:.0f}", owed <= most))
        rate = self.counts.get("orders", 0) / max(self.load_seconds, 1)
        for what, seen, wanted in (("unknown orders", self.counts.get("unknowns", 0), UNKNOWNS_PER_MINUTE * minutes),
                                   ("duplicates answered", self.counts.get("duplicates", 0), DUPLICATES_PER_MINUTE * minutes),
                                   ("orders a second in the log", rate, ORDERS_PER_SECOND),
                                   ("looks with fleet verify", self.counts.get("verified", 0), max(1, self.looks // 3)),
                                   ("orders seen in a ledger while a commit was held back", self.counts.get("sighted", 0), self.kinds.get("stall", 0))):
            self.checks.append((f"coverage: {seen:.0f} {what}, wanted are {wanted:.0f}", seen >= wanted))
        missing = sorted(set(LIMITS_MS) - set(self.kinds) - {"again"} - (set() if self.standby else STANDBY_KINDS))  # "again" comes by chance
        if sum(self.kinds.values()) >= KINDS_MIN_FAULTS:
            self.checks.append((f"coverage: faults of every kind{', but ' + ', '.join(missing) if missing else ''}", not missing))
        self.problems = [text for text, ok in self.checks if not ok and text not in CHECKS.values()]

    def write_results(self, path):
        """One line a check, as run/test counts them."""
        with open(path, "a") as file:
            file.writelines(f"{'ok' if ok else 'FAILED'} {text}\n" for text, ok in self.checks)

    def ok(self):
        return not self.violations and not self.problems

    def as_json(self):
        recovery = [{name: round(value, 1) if isinstance(value, float) else value for name, value in row._asdict().items()} for row in self.table()]
        return {"seed": self.seed, "standby": self.standby, "ok": self.ok(), "seconds": round(self.seconds), "load_seconds": round(self.load_seconds), "kills": self.kills,
                "faults": self.kinds, "counts": self.counts, "looks": self.looks, "violations": self.violations, "problems": self.problems, "load_lag_ms": self.lag_ms,
                "recovery": recovery, "late": self.late}

    def text(self):
        rate = self.counts.get("orders", 0) / max(self.load_seconds, 1)
        lines = ["", f"{'fault':<16}{'victim':<16}{'times':>6}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'ready p99':>11}{'limit':>7}"]
        for row in self.table():
            lines.append(f"{row.kind:<16}{row.victim:<16}{row.times:>6}{row.p50_ms:>9.0f}{row.p99_ms:>9.0f}{row.max_ms:>9.0f}{row.ready_p99_ms:>11.0f}"
                         f"{row.limit_ms:>7.0f}{'  too slow' if row.judged_ms > row.limit_ms else ''}")
        lines += [f"beyond its limit: fault {late['fault']}, {late['kind']} {' '.join(late['victims'])}, {late['ms']} ms, ready after {late['ready_ms']} ms; the "
                  f"disk did not answer for {late['disk_ms']} ms, the load was {late['load_late_ms']} ms late" for late in self.late]
        lines += ["", f"seed {self.seed}, {'with' if self.standby else 'without'} a standby, {self.seconds:.0f} s: {self.kills} kills, {sum(self.kinds.values())} faults "
                      f"({', '.join(f'{count} {kind}' for kind, count in sorted(self.kinds.items()))})",
                  f"orders {self.counts.get('orders', 0)} ({rate:.0f}/s), fills {self.counts.get('fills', 0)}, unknown {self.counts.get('unknowns', 0)}, "
                  f"duplicates {self.counts.get('duplicates', 0)}, told {self.counts.get('acks', 0)} acknowledgements, "
                  f"{self.counts.get('replies', 0)} replies, {self.counts.get('heard', 0)} batches, {self.looks} looks at the ledgers, "
                  f"{self.counts.get('verified', 0)} with fleet verify, {self.counts.get('sighted', 0)} orders sighted while a commit was held back"]
        lines.append(f"the load itself was up to {self.lag_ms} ms late; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        # What must never be first, then what should have come back.
        ordered = sorted(self.violations, key=lambda text: text.startswith(("stuck", "not survived")))
        lines += [f"VIOLATION {text}" for text in ordered[:20]]
        lines += [f"FAILED {text}" for text in self.problems]
        lines.append(f"violations: {len(self.violations)}")
        return "\n".join(lines)
