"""What a chaos run has found, in words and as JSON."""
from faults import KILLS, LIMITS_MS

# Below these the run has not tried hard enough to say anything, per minute of faults.
UNKNOWNS_PER_MINUTE, DUPLICATES_PER_MINUTE, ORDERS_PER_SECOND = 1, 60, 450
KINDS_MIN_FAULTS = 100  # from so many faults on every kind must have come


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


class Report:
    def __init__(self, seed):
        self.seed, self.rows, self.kinds, self.kills, self.violations, self.problems = seed, {}, {}, 0, [], []
        self.seconds, self.load_seconds, self.counts, self.looks, self.late = 0.0, 0.0, {}, 0, []

    def fault(self, card, trade_ms, back_ms):
        """One fault and how long until orders completed at every venue, and until what was killed was ready again."""
        self.kinds[card["kind"]] = self.kinds.get(card["kind"], 0) + 1
        self.kills += KILLS.get(card["kind"], 0)
        victim = "everything" if card["kind"] == "everything" else "two processes" if card["kind"] == "pair" else card["victims"][0]
        self.rows.setdefault((card["kind"], victim), []).append((trade_ms, back_ms))
        if trade_ms > LIMITS_MS[card["kind"]]:
            self.late.append({"fault": card["number"], "kind": card["kind"], "victims": card["victims"], "ms": round(trade_ms),
                              "detail": card.get("detail", "")})

    def table(self):
        """(kind, victim, faults, p50, p99, max, ready p99, limit) in ms."""
        rows = []
        for (kind, victim), samples in sorted(self.rows.items()):
            trade, back = [s[0] for s in samples], [s[1] for s in samples]
            rows.append((kind, victim, len(samples), quantile(trade, 0.5), quantile(trade, 0.99), max(trade), quantile(back, 0.99), LIMITS_MS[kind]))
        return rows

    def judge(self):
        """What speaks against the run besides violations of the promise."""
        minutes = max(self.load_seconds / 60, 0.01)
        for kind, victim, _, _, p99, _, _, limit in self.table():
            if p99 > limit:
                self.problems.append(f"recovery: {kind} {victim} took {p99:.0f} ms, allowed are {limit} ms")
        rate = self.counts.get("orders", 0) / max(self.load_seconds, 1)
        for what, seen, wanted in (("unknown orders", self.counts.get("unknowns", 0), UNKNOWNS_PER_MINUTE * minutes),
                                   ("duplicates answered", self.counts.get("duplicates", 0), DUPLICATES_PER_MINUTE * minutes),
                                   ("orders a second in the log", rate, ORDERS_PER_SECOND)):
            if seen < wanted:
                self.problems.append(f"coverage: {seen:.0f} {what}, wanted are {wanted:.0f}")
        missing = sorted(set(LIMITS_MS) - set(self.kinds))
        if missing and sum(self.kinds.values()) >= KINDS_MIN_FAULTS:
            self.problems.append(f"coverage: no fault of kind {', '.join(missing)}")

    def ok(self):
        return not self.violations and not self.problems

    def as_json(self):
        names = ("kind", "victim", "faults", "p50_ms", "p99_ms", "max_ms", "ready_p99_ms", "limit_ms")
        recovery = [dict(zip(names, (row[0], row[1], row[2], *(round(v, 1) for v in row[3:])))) for row in self.table()]
        return {"seed": self.seed, "ok": self.ok(), "seconds": round(self.seconds), "load_seconds": round(self.load_seconds), "kills": self.kills,
                "faults": self.kinds, "counts": self.counts, "looks": self.looks, "violations": self.violations, "problems": self.problems,
                "recovery": recovery, "late": self.late}

    def text(self):
        rate = self.counts.get("orders", 0) / max(self.load_seconds, 1)
        lines = ["", f"{'fault':<13}{'victim':<16}{'times':>6}{'p50 ms':>9}{'p99 ms':>9}{'max ms':>9}{'ready p99':>11}{'limit':>7}"]
        for kind, victim, times, p50, p99, worst, ready, limit in self.table():
            lines.append(f"{kind:<13}{victim:<16}{times:>6}{p50:>9.0f}{p99:>9.0f}{worst:>9.0f}{ready:>11.0f}{limit:>7}{'  too slow' if p99 > limit else ''}")
        lines += ["", f"seed {self.seed}, {self.seconds:.0f} s: {self.kills} kills, {sum(self.kinds.values())} faults "
                      f"({', '.join(f'{count} {kind}' for kind, count in sorted(self.kinds.items()))})",
                  f"orders {self.counts.get('orders', 0)} ({rate:.0f}/s), fills {self.counts.get('fills', 0)}, unknown {self.counts.get('unknowns', 0)}, "
                  f"duplicates {self.counts.get('duplicates', 0)}, told {self.counts.get('acks', 0)} acknowledgements, "
                  f"{self.counts.get('replies', 0)} replies, {self.counts.get('heard', 0)} batches, {self.looks} looks at the ledgers"]
        lines += [f"VIOLATION {text}" for text in self.violations[:20]]
        lines += [f"FAILED {text}" for text in self.problems]
        lines.append(f"violations: {len(self.violations)}")
        return "\n".join(lines)
