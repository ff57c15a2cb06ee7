"""targets -- what the benchmark has to reach, and whether it did.

A target is judged only when its scenario measured the case it speaks of, at full length. A figure that comes with an
interval (FIGURE_low, FIGURE_high) meets or misses a limit when the whole interval does; otherwise that is not decided.
"""

import overload

# scenario, case, figure, "<" or ">", limit, text
TARGETS = (
    ("orders", "10,000/s", "p50_ms", "<", 8, "10,000 orders/s: p50, ms"),
    ("orders", "10,000/s", "p99_ms", "<", 25, "10,000 orders/s: p99, ms"),
    ("orders", "10,000/s", "max_ms", "<", 500, "10,000 orders/s: max, ms"),
    ("orders", "10,000/s", "success_share", ">", 0.999, "10,000 orders/s: share that completed"),
    ("orders", "highest sustained", "share_of_limit", ">", 0.45, "highest sustained rate, share of the bare log"),
    ("idle", "one at a time", "p50_ms", "<", 2, "one order at a time: p50, ms"),
    ("idle", "one at a time", "p99_ms", "<", 5, "one order at a time: p99, ms"),
    ("events", "5,000 orders/s", "p99_ms", "<", 1, "commit to subscriber at 5,000 orders/s: p99, ms"),
    ("ticks", "1 strategy, highest", "per_s", ">", 500000, "ticks to one strategy without loss, 1/s"),
    ("ticks", "1 strategy, 50,000/s", "p99_ms", "<", 0.5, "ticks at 50,000/s: p99, ms"),
    ("strategies", "1,000 strategies", "updates_per_s", ">", 20000, "1,000 strategies: quotes/s into their hosts"),
    ("strategies", "1,000 strategies", "p99_ms", "<", 20, "1,000 strategies, quote to order.requested: p99, ms"),
    ("strategies", "1,000 strategies", "success_share", ">", 0.99999, "1,000 strategies: signals that became one order"),
    ("strategies", "1,000 strategies", "hosts_rss_mb", "<", 1024, "1,000 strategies: memory of their hosts, MB"),
    ("replay", "orchestrator", "per_s", ">", 700000, "events/s replayed into orchestrator"),
    ("replay", "risk", "per_s", ">", 700000, "events/s replayed into risk"),
    ("replay", "portfolio", "per_s", ">", 700000, "events/s replayed into portfolio"),
    ("recovery", "every process", "max_ms", "<", 1000, "orders complete again after kill -9, slowest process, ms"),
    *(("overload", case, point + "_factor", "<", 1.1, "%s: others' %s, factor" % (case, point))
      for _, case, _ in overload.DISTURBERS for point in ("p50", "p99")),
    ("overload", "honest orders", "success_share", ">", 0.999, "others' orders beside all of them: share that completed"),
    ("growth", "all cases", "cost_ratio", "<", 1.3, "CPU per order: dearest over cheapest log and fleet"),
)


def judge(scenarios):
    """Targets of the cases that were measured."""
    found = []
    for scenario, case, figure, direction, limit, text in TARGETS:
        rows = scenarios.get(scenario, {}).get("rows", [])
        for row in rows:
            if row["case"] != case or row.get(figure) is None:
                continue
            found.append({"text": text, "limit": limit, "seen": row[figure], "met": _is_met(row, figure, direction, limit)})
    return found + _against_the_peer(scenarios)


def _is_met(row, figure, direction, limit):
    """True or False; None when the limit lies within the figure's interval."""
    values = row.get(figure + "_low", row[figure]), row.get(figure + "_high", row[figure])
    met = [value < limit if direction == "<" else value > limit for value in values]
    return met[0] if met[0] == met[1] else None


def _against_the_peer(scenarios):
    """A higher rate than the peer's best, or lower p50 and p99 at the same rate."""
    ours = {row["case"]: row for row in scenarios.get("orders", {}).get("rows", [])}
    peers = scenarios.get("peer", {}).get("rows", [])
    best = next((row for row in peers if row["case"] == "at its best"), None)
    sustained = ours.get("highest sustained")
    if not best or not ours:
        return []
    higher = bool(sustained) and sustained["per_s"] > best["per_s"]
    pairs = [(row, ours[row["case"]]) for row in peers if row["case"] in ours and row.get("p50_ms") and ours[row["case"]].get("p50_ms")]
    lower = bool(pairs) and pairs[-1][1]["p50_ms"] < pairs[-1][0]["p50_ms"] and pairs[-1][1]["p99_ms"] < pairs[-1][0]["p99_ms"]
    seen = sustained["per_s"] if sustained else max(row["per_s"] for row in ours.values())
    return [{"text": "against the peer: a higher rate, or lower p50 and p99 at its rate", "limit": best["per_s"], "seen": seen,
             "met": higher or lower}]


def losses(scenarios):
    """Orders that were taken and never ended, by scenario; only where the fleet was not offered more than it can take."""
    found = []
    for name, scenario in scenarios.items():
        for row in scenario["rows"]:
            if row.get("lost"):
                found.append("%s, %s: %d" % (name, row["case"], row["lost"]))
    return found
