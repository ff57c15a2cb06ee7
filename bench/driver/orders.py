"""orders -- the whole life of an order: at offered rates, one at a time, and what a subscriber sees of its commits."""

from load import Load, lost_of, run_load

HELD_S, TRIED_S = 60, 15  # how long the highest sustained rate has to hold; a candidate for it
RATES = ((100, 30), (1000, 30), (5000, 30), (10000, 60), (15000, 30), (20000, 30))
STAGES = ("requested", "requested_durable", "validated", "routed", "intent_durable", "executor_to_venue", "resting", "executed",
          "position", "completed_durable", "completed", "cancel_to_canceled", "commit_to_subscriber")
MIXED_RATES = (1000, 5000)
ROWS_PER_ORDER = 9      # of a plain filled order
SUSTAINED_SHARE = 0.99  # of the offered rate, completed within the measured time
SUCCESS_SHARE = 0.999
SUSTAINED_P99_MS = 1000
HOPS_PER_ORDER = 12     # one after the other: strategy, risk and back, three to the venue, three back, portfolio and back, subscriber


def row_of(case, report):
    """A load's report as a row."""
    completed = report["latency_ms"].get("completed", {})
    row = {"case": case, "offered_per_s": report["rate"], "per_s": report["completed_per_s"],
           "success_share": report["success_share"], "lost": lost_of(report), "seconds": report["seconds"],
           "partially_filled": report["partially_filled"], "canceled": report["canceled"]}
    row.update({point + "_ms": completed.get(point) for point in ("p50", "p99", "p999", "max")})
    row["stages"] = {name: report["latency_ms"][name] for name in STAGES if name in report["latency_ms"]}
    row["orders"] = {name: report[name] for name in ("sent", "completed", "rejected", "expired", "refused", "lost", "unanswered",
                                                     "unsent", "resent", "partially_filled", "canceled")}
    for key in ("switches_per_order", "switches", "cpu_us_per_order", "cpu_us", "cores", "rss_mb", "rss_mb_total", "rows_per_s", "wal_bytes_per_order"):
        if key in report:
            row[key] = report[key]
    return row


def is_in_time(row):
    """Orders completed as fast as they were offered."""
    return row["per_s"] >= SUSTAINED_SHARE * row["offered_per_s"] and (row["p99_ms"] or 1e9) < SUSTAINED_P99_MS


def is_sustained(row):
    """Every order that was offered completed, as fast as it was offered."""
    return row["success_share"] >= SUCCESS_SHARE and is_in_time(row)


def _case(rate):
    return "%s/s" % format(rate, ",")


def one_load(bench, fleet, rate, seconds, case=None, **options):
    """Offers a rate for some seconds; the row."""
    case = case or _case(rate)
    report = run_load(fleet, case, rate=rate, seconds=seconds, warmup=bench.short(3, 0.5), **options)
    return row_of(case, report)


def _highest(bench, fleet, offered):
    """The highest rate that is sustained when it is held for a minute: between one of the offered that was and one that was not, or, when
    all were, the highest that was. A candidate has two attempts, because one stall of the disk is enough to fail so short a one."""
    sustained = [row for row in offered if is_sustained(row)]
    low = max((round(row["offered_per_s"]) for row in sustained), default=0)
    high = min((round(row["offered_per_s"]) for row in offered if row["offered_per_s"] > low), default=None)
    held_s = bench.seconds or HELD_S
    held = max((row for row in sustained if row["seconds"] >= held_s), key=lambda row: row["offered_per_s"], default=None)
    lost = 0  # also in what was tried
    while high and high - low > max(250, low * 0.05):
        middle = round((low + high) // 2, -2)
        for _ in range(2):
            row = one_load(bench, fleet, middle, min(TRIED_S, bench.seconds or TRIED_S), case="trying %s" % _case(middle))
            lost += row["lost"]
            if is_sustained(row):
                break
        low, high = (middle, high) if is_sustained(row) else (low, middle)
    while low > (held["offered_per_s"] if held else 100):
        row = one_load(bench, fleet, low, held_s, case="highest sustained")
        lost += row["lost"]
        if is_sustained(row):
            return {**row, "lost": lost}
        low = round(low * 95 // 100, -1)
    return {**(held or {"per_s": 0.0, "seconds": held_s}), "case": "highest sustained", "lost": lost}  # what `held` lost is told with its own row


def _limit(bench, fleet, seconds, when):
    """What the bare log takes, in orders/s."""
    return bench.limits.best_rows_per_s(fleet, seconds, when) / ROWS_PER_ORDER


def run(bench):
    """At offered rates, and the highest sustained, with the bare log before and after it."""
    rates = [(bench.rate, 30)] if bench.rate else bench.quick([(200, 1), (1000, 1)], RATES)
    mixed = [bench.rate] if bench.rate else bench.quick([200], MIXED_RATES)
    with bench.fleet(symbols=3) as fleet:
        rows = [one_load(bench, fleet, rate, bench.seconds or seconds) for rate, seconds in rates]
        offered = list(rows)
        rows += [one_load(bench, fleet, rate, bench.seconds or bench.quick(2, 30), case="%s, a fifth limits" % _case(rate), limits=20, symbols=2)
                 for rate in mixed]
        limit_s = max([bench.quick(1, 10)] + [row["seconds"] for row in rows])
        limits = [_limit(bench, fleet, limit_s, "before")]
        if not bench.rate and not bench.is_quick:
            rows.append(_highest(bench, fleet, offered))
            limits.append(_limit(bench, fleet, limit_s, "after"))
        paced = bench.quick(200, 10000)
        alone = bench.limits.copy_at(fleet, paced * ROWS_PER_ORDER)["age_ms"]
    limit = max(limits)
    for row in rows:
        row["share_of_limit"] = round(row["per_s"] / limit, 4)
    notes = ["bare log, the same rows for %g s: %s orders/s, the most counts; an order counts when it has completed" % (
        limit_s, " and ".join(format(round(found), ",") for found in limits))]
    notes.append("bare log at %s orders/s: a row waits p50 %.1f, p99 %.1f, at most %.0f ms for its commit; an order waits for two" % (
        format(paced, ","), alone["p50"], alone["p99"], alone["max"]))
    return {"title": "orders: from the strategy's submit to completed", "rows": rows, "notes": notes,
            "limit_orders_per_s": round(limit, 1)}


def one_idle(bench, fleet, case="one at a time", **options):
    """One order at a time; the row."""
    report = run_load(fleet, case, rate=bench.quick(500, 200), seconds=bench.seconds or bench.quick(2, 20), warmup=bench.short(3, 0.5),
                      pause_ms=10, **options)
    row = row_of(case, report)
    row["offered_per_s"] = None
    return row


def run_idle(bench):
    """One order at a time."""
    with bench.fleet(symbols=3) as fleet:
        row = one_idle(bench, fleet)
        commit = bench.limits.copy_at(fleet, 100)["commit_ms"]
    hop, sync = bench.limits.hop_after_pauses()["round_trip_ms"], bench.limits.sync_after_pauses()["sync_ms"]
    limit = 2 * commit["p50"] + HOPS_PER_ORDER / 2 * hop["p50"] + sync["p50"]
    row["share_of_limit"] = round(limit / row["p50_ms"], 4) if row["p50_ms"] else None
    return {"title": "idle: one order at a time on an idle fleet", "rows": [row],
            "notes": ["bare, each after a pause: two commits of %.2f ms (p99 %.2f), %d hops of %.3f ms (p99 %.3f), the venue's sync of %.2f ms "
                      "(p99 %.2f): %.2f ms" % (commit["p50"], commit["p99"], HOPS_PER_ORDER, hop["p50"] / 2, hop["p99"] / 2,
                                               sync["p50"], sync["p99"], limit)]}


def run_events(bench):
    """From the commit to a subscriber."""
    rate = bench.rate or bench.quick(500, 5000)
    with bench.fleet(symbols=3) as fleet:
        watch = bench.watch(fleet)
        load = Load(fleet, _case(rate), rate=rate, seconds=bench.seconds or bench.quick(2, 30),
                    warmup=bench.short(3, 0.5))
        load.pids["watch"] = watch.process.pid
        if load.wait_phase("measure"):
            watch.measure()
        load.wait_phase("drain")
        seen = watch.finish()
        report = load.finish()
    row = row_of("%s orders/s" % format(rate, ","), report)
    span = seen["latency_ms"]["commit_to_subscriber"]
    row.update({point + "_ms": span[point] for point in ("p50", "p99", "p999", "max")})
    row["event_gaps"] = seen["gaps"]  # what is asked for again has no latency
    hop = bench.limits.hop(1)["round_trip_ms"]["p50"] / 2
    row["share_of_limit"] = round(hop / row["p50_ms"], 4) if row["p50_ms"] else None
    return {"title": "events: from the commit to a subscriber of the log", "rows": [row],
            "notes": ["bare ZeroMQ hop: %.3f ms; %s batches, %s events, %s gaps" % (
                hop, format(seen["batches"], ","), format(seen["events"], ","), seen["gaps"])]}
