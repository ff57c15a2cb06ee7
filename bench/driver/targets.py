"""targets -- what the benchmark has to reach, and whether it did.

A scenario that ran at its own rates has every case that a target speaks of: one that is not there is missed. With a rate
that was asked for, only the cases that were measured at the rate of a target are judged; a case that has to last, only when it lasted. A figure
that comes with an interval (FIGURE_low, FIGURE_high) meets or misses a limit when the whole interval does; otherwise that is
not decided.
"""

import operator

import orders
import overload
import peer

COMPARE = {"<": operator.lt, "<=": operator.le, ">": operator.gt, ">=": operator.ge}

# scenario, case, figure, how, limit, text
TARGETS = (
    ("orders", "10,000/s", "p50_ms", "<", 8, "10,000 orders/s: p50, ms"),
    ("orders", "10,000/s", "p99_ms", "<", 25, "10,000 orders/s: p99, ms"),
    ("orders", "10,000/s", "max_ms", "<", 500, "10,000 orders/s: max, ms"),
    ("orders", "10,000/s", "success_share", ">=", 1, "10,000 orders/s: share that completed"),
    ("orders", "10,000/s", "cpu_us_per_order", "<", 120, "10,000 orders/s: CPU of all our processes, us an order"),
    *(("orders", case, "success_share", ">=", orders.SUCCESS_SHARE, "%s: share that completed" % case)
      for case in ("100/s", "1,000/s", "5,000/s", *("%s/s, a fifth limits" % format(rate, ",") for rate in orders.MIXED_RATES))),
    *(("orders", "%s/s, a fifth limits" % format(rate, ","), figure, ">", 0, "%s/s, a fifth limits: %s" % (format(rate, ","), text))
      for rate in orders.MIXED_RATES for figure, text in (("partially_filled", "orders filled in parts"), ("canceled", "orders canceled"))),
    ("orders", "highest sustained", "share_of_limit", ">=", 0.45, "highest sustained rate, share of the bare log"),
    ("idle", "one at a time", "p50_ms", "<", 2, "one order at a time: p50, ms"),
    ("idle", "one at a time", "p99_ms", "<", 5, "one order at a time: p99, ms"),
    ("idle", "one at a time", "success_share", ">=", orders.SUCCESS_SHARE, "one order at a time: share that completed"),
    ("events", "5,000 orders/s", "p99_ms", "<", 1, "commit to subscriber at 5,000 orders/s: p99, ms"),
    ("events", "5,000 orders/s", "event_gaps", "<", 1, "5,000 orders/s: gaps in what an observer sees"),
    ("events", "5,000 orders/s", "success_share", ">=", orders.SUCCESS_SHARE, "5,000 orders/s beside an observer: share that completed"),
    ("ticks", "1 strategy, highest", "per_s", ">=", 500000, "ticks to one strategy without loss, 1/s"),
    ("ticks", "1 strategy, 50,000/s", "p99_ms", "<", 0.5, "ticks at 50,000/s: p99, ms"),
    *(("ticks", "%s, 50,000/s" % case, "ticks_lost", "<", 1, "ticks at 50,000/s to %s: lost" % case)
      for case in ("1 strategy", "4 strategies", "16 strategies")),
    ("strategies", "1,000 strategies", "quotes_per_s", ">=", 20000, "1,000 strategies: quotes/s into their hosts"),
    ("strategies", "1,000 strategies", "p99_ms", "<", 20, "1,000 strategies, quote to order.requested: p99, ms"),
    ("strategies", "1,000 strategies", "success_share", ">=", 1, "1,000 strategies: share of which every signal became one order"),
    ("strategies", "1,000 strategies", "market_gaps", "<", 1, "1,000 strategies: market updates that they missed"),
    ("strategies", "1,000 strategies", "hosts_rss_mb", "<", 1024, "1,000 strategies: memory of their hosts, MB"),
    ("replay", "orchestrator", "per_s", ">=", 700000, "events/s replayed into orchestrator"),
    ("replay", "risk", "per_s", ">=", 700000, "events/s replayed into risk"),
    ("replay", "portfolio", "per_s", ">=", 700000, "events/s replayed into portfolio"),
    ("recovery", "every process but Postgres", "max_ms", "<", 1000, "orders complete again after kill -9, slowest process, ms"),
    ("recovery", "postgres", "ready_ms", "<", 2000, "5,000 orders/s: Postgres' own crash recovery, ms"),
    *(("overload", case, point + "_factor", "<", 1.1, "%s: others' %s, factor" % (case, point))
      for _, case, _, _ in overload.DISTURBERS for point in ("p50", "p99")),
    *(("overload", case, "done_per_s", ">=", per_s, "%s: %s a second" % (case, what)) for _, case, what, per_s in overload.DISTURBERS if per_s > 0),
    *(("overload", case, "control_per_s", ">=", per_s, "%s: %s a second to a stranger in the rounds without" % (case, what))
      for _, case, what, per_s in overload.DISTURBERS if what == "signals"),
    ("overload", "honest orders", "success_share", ">=", 0.999, "others' orders beside all of them: share that completed"),
    ("growth", "50 M events, every follower", "max_ms", "<", 1000, "50 million events: orders complete again, slowest follower, ms"),
    ("growth", "50 M events, kill postgres", "ready_ms", "<", 2000, "50 million events: Postgres' own crash recovery, ms"),
    ("growth", "all cases", "checkpoint_ratio", "<", 1.3, "checkpoint: of the longest log over that of the shortest"),
    ("growth", "all cases", "cost_ratio", "<", 1.3, "CPU per order: dearest over cheapest log and fleet"),
    ("growth", "all cases", "full_cost_ratio", "<", 1.3, "CPU per order at 10,000/s: dearest over cheapest log"),
)


# Figures whose target speaks of a rate that their case does not name.
AT_OWN_RATE = {"strategies": ("quotes_per_s", "p99_ms"), "recovery": ("max_ms", "ready_ms"),
               "growth": ("max_ms", "ready_ms", "cost_ratio", "full_cost_ratio")}
LASTS_S = {("orders", "10,000/s"): 60, ("orders", "highest sustained"): orders.HELD_S, ("idle", "one at a time"): 20,
           ("events", "5,000 orders/s"): 30, ("strategies", "1,000 strategies"): 30, ("ticks", "1 strategy, highest"): 6,
           **{("ticks", "%s, 50,000/s" % case): 20 for case in ("1 strategy", "4 strategies", "16 strategies")}}


def judge(scenarios, has_rate=False, has_events=False):
    """Targets of the scenarios that were measured, at a rate or with a length of the log that was asked for, or at their own, so
    that every case has to be there."""
    found, is_whole = [], not has_rate and not has_events
    for scenario, case, figure, how, limit, text in TARGETS:
        if has_rate and figure in AT_OWN_RATE.get(scenario, ()):
            continue
        rows = scenarios.get(scenario, {}).get("rows", [])
        row = next((row for row in rows if row["case"] == case), {})
        if row.get(figure) is None and not (is_whole and scenario in scenarios):
            continue
        met, why = _verdict(row, figure, how, limit, LASTS_S.get((scenario, case), 0))
        found.append({"text": text, "limit": limit, "seen": row.get(figure), "met": met, "why": why})
    if "peer" in scenarios and not has_rate:
        found += _against_the_peer(scenarios.get("orders", {"rows": []})["rows"], scenarios["peer"]["rows"])
    return found


def _verdict(row, figure, how, limit, lasts_s):
    """True, False, or None where that cannot be said; and why, where the figures do not tell."""
    if row.get(figure) is None:
        return False, "not measured"
    if row.get("seconds", lasts_s) < lasts_s:
        return None, "not judged: %g s of %g" % (row["seconds"], lasts_s)
    met = {COMPARE[how](value, limit) for value in (row.get(figure + "_low", row[figure]), row.get(figure + "_high", row[figure]))}
    return (met.pop(), "") if len(met) == 1 else (None, "not decided")


def _against_the_peer(ours, peers):
    """A higher rate than any that the peer reached or kept up with, or, by turns, lower p50 and p99 at the highest that it kept up with."""
    best = next((row for row in peers if row["case"] == "at its best"), None)
    if best is None:
        return []
    kept = [row["per_s"] for row in peers if row.get("peer_lost") == 0 and row.get("offered_per_s") and orders.is_in_time(row)]
    most = max([best["per_s"], *kept])
    highest = next((row for row in ours if row["case"] == "highest sustained"), {})
    has_lasted = highest.get("seconds", 0) >= orders.HELD_S
    higher = has_lasted and highest["per_s"] > most
    lower, why = _by_turns(peers)
    met = higher or lower or (False if has_lasted and lower is False else None)
    if met is None:
        why += "; not decided without the highest rate that lasted"
    return [{"text": "against the peer: a higher rate, or lower p50 and p99 at its rate", "limit": most, "seen": highest.get("per_s"),
             "met": met, "why": why}]


def _by_turns(peers):
    """Whether the fleet has the lower latency, None if that was not measured; and why."""
    pairs = [(fleets, theirs) for fleets, theirs in peer.turns(peers) if orders.is_in_time(theirs) and not theirs["peer_lost"]]
    fleets, theirs = max(pairs, key=lambda pair: pair[0]["offered_per_s"], default=(None, None))
    if fleets is None:
        return (False, "by turns: the peer kept up with none") if peer.turns(peers) else (None, "not measured by turns")
    at = "at %s/s" % format(round(fleets["offered_per_s"]), ",")
    if fleets["seconds"] < peer.TURN_S:
        return None, "by turns %s: not judged: %g s of %g" % (at, fleets["seconds"], peer.TURN_S)
    if not orders.is_sustained(fleets) or fleets["lost"]:
        return False, "by turns %s: the peer kept up, the fleet did not" % at
    return (all(fleets[point] < theirs[point] for point in ("p50_ms", "p99_ms")), "by turns: p50 %.1f, p99 %.1f ms; the peer %.1f, %.1f, %s" % (
        fleets["p50_ms"], fleets["p99_ms"], theirs["p50_ms"], theirs["p99_ms"], at))


def losses(scenarios):
    """Orders that were taken and never ended, signals of which more than one order was made, and market data that did not reach everybody."""
    found = []
    for name, scenario in scenarios.items():
        for row in scenario["rows"]:
            found += ["%s, %s: %d %s" % (name, row["case"], row[figure], what)
                      for figure, what in (("lost", "orders"), ("doubled", "orders too many"), ("ticks_lost", "ticks")) if row.get(figure)]
    return found
