"""What a chaos run has found, in words and as JSON."""
import os

from faults import KILLS, LIMITS_MS

# Below these the run has not tried hard enough to say anything, per minute of faults.
UNKNOWNS_PER_MINUTE, DUPLICATES_PER_MINUTE, ORDERS_PER_SECOND = 1, 60, 450
KINDS_MIN_FAULTS = 100  # from so many faults on every kind must have come

# How a violation's text begins -> the check that it fails.
CHECKS = {"told": "clients: what was acknowledged, answered and published is in the log",
          "log": "log: no gap, no fork, no older writer after a newer one",
          "twice": "nothing twice: no request made two orders, no order executed more than it is for",
          "venue": "venues: their ledgers and the log say the same, and nothing was executed that was not committed before",
          "position": "positions: each continues from the one before, and together they are the venues' fills",
          "limit": "risk: no position beyond its limit", "halt": "halt: nothing is submitted while trading is halted",
          "stuck": "everything in flight came to its end, and no order stayed unknown",
          "not survived": "orders completed at every venue again after every fault",
          "alert": "no report that the log cannot explain", "account": "no account halted by an unexplained difference",
          "dead letter": "no dead letter", "state": "orchestrator, risk and portfolio hold the fold of the log", "fleet verify": "fleet verify passes, at the first look"}


def quantile(values, share):
    ordered = sorted(values)
    return ordered[min(len(ordered) - 1, int(share * len(ordered)))]


def judged(values):
    """What a limit is held against: p99; of ten to a hundred samples the second largest, since one may be the machine's."""
    ordered = sorted(values)
    return ordered[-2] if 10 <= len(ordered) < 100 else quantile(ordered, 0.99)


class Report:
    def __init__(self, seed):
        self.seed, self.rows, self.kinds, self.kills, self.violations, self.problems = seed, {}, {}, 0, [], []
        self.seconds, self.load_seconds, self.counts, self.looks, self.late = 0.0, 0.0, {}, 0, []
        self.checks, self.slow, self.lag_ms = [], float(os.environ.get("ZVT_TEST_SLOW", 1)), 0

    def fault(self, card, trade_ms, back_ms):
        """One fault and how long until orders completed at every venue, and until what was killed was ready again."""
        if card["kind"] == "immediate":
            trade_ms = max(0.0, trade_ms - back_ms)
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

    def pools(self):
        """Samples that are judged together: a victim's own from ten on, the rest of a kind in one."""
        pools = {}
        for (kind, victim), samples in sorted(self.rows.items()):
            name = (kind, victim if len(samples) >= 10 else "others")
            pools.setdefault(name, []).extend(trade for trade, _ in samples)
        return pools

    def judge(self):
        """What speaks against the run besides violations of the promise; every check is counted."""
        minutes = max(self.load_seconds / 60, 0.01)
        for prefix, text in CHECKS.items():
            self.checks.append((text, not any(v.startswith(prefix) for v in self.violations)))
        for (kind, victim), samples in self.pools().items():
            limit, took = LIMITS_MS[kind] * self.slow, judged(samples)
            text = f"recovery: {kind} {victim}, {len(samples)} times, {took:.0f} ms of {limit:.0f} ms"
            self.checks.append((text, took <= limit))
        rate = self.counts.get("orders", 0) / max(self.load_seconds, 1)
        for what, seen, wanted in (("unknown orders", self.counts.get("unknowns", 0), UNKNOWNS_PER_MINUTE * minutes),
                                   ("duplicates answered", self.counts.get("duplicates", 0), DUPLICATES_PER_MINUTE * minutes),
                                   ("orders a second in the log", rate, ORDERS_PER_SECOND)):
            self.checks.append((f"coverage: {seen:.0f} {what}, wanted are {wanted:.0f}", seen >= wanted))
        missing = sorted(set(LIMITS_MS) - set(self.kinds) - {"again"})  # which comes by chance
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
        names = ("kind", "victim", "faults", "p50_ms", "p99_ms", "max_ms", "ready_p99_ms", "limit_ms")
        recovery = [dict(zip(names, (row[0], row[1], row[2], *(round(v, 1) for v in row[3:])))) for row in self.table()]
        return {"seed": self.seed, "ok": self.ok(), "seconds": round(self.seconds), "load_seconds": round(self.load_seconds), "kills": self.kills,
                "faults": self.kinds, "counts": self.counts, "looks": self.looks, "violations": self.violations, "problems": self.problems, "load_lag_ms": self.lag_ms,
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
        lines.append(f"the load itself was up to {self.lag_ms} ms late; load average {os.getloadavg()[0]:.1f} on {os.cpu_count()} cores")
        # What must never be first, then what should have come back.
        ordered = sorted(self.violations, key=lambda text: text.startswith(("stuck", "not survived")))
        lines += [f"VIOLATION {text}" for text in ordered[:20]]
        lines += [f"FAILED {text}" for text in self.problems]
        lines.append(f"violations: {len(self.violations)}")
        return "\n".join(lines)
