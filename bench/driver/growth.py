"""growth -- what an order costs when the log is long, the symbols are many, the strategies are many.

Cost must not grow with history: the dearest case over the cheapest is what counts. The market has as many symbols as are
traded, so that one symbol costs what one symbol does; the log stays the same when symbols are added. For each length of the log
also what history.py measures: what is saved, and how long it takes to go on after something was killed.
"""

import history
from orders import one_idle, one_load
from replay import WRITERS, fill

LOGS_MILLIONS = (1, 10, 50)


def _cases(bench):
    """Millions of events in the log, symbols, strategies."""
    if bench.is_quick:
        return [(0.02, 1, 10), (0.04, 2, 50)]
    longest = max(1, bench.events or LOGS_MILLIONS[-1])
    logs = [millions for millions in LOGS_MILLIONS if millions <= longest] or [longest]
    return [(millions, 1, 10) for millions in logs] + [(logs[-1], 1, 1000), (logs[-1], 200, 10), (logs[-1], 200, 1000)]


def _same_figures(bench, fleet, log):
    """What is measured of a short log, of this one: a full load, with its way to the subscriber, and one order at a time."""
    full = bench.rate or bench.quick(200, 10000)
    return [one_load(bench, fleet, full, bench.seconds or bench.quick(1, 30), case="%s, %s/s" % (log, format(round(full), ","))),
            one_idle(bench, fleet, "%s, one at a time" % log)]


def _ratio(costs):
    """Dearest over cheapest; None when one of them is not known."""
    return round(max(costs) / min(costs), 3) if all(costs) else None


def run(bench):
    """The same rate in every case."""
    rate, seconds = bench.rate or bench.quick(200, 3000), bench.seconds or bench.quick(1, 20)
    rows, costs, full_costs, length = [], [], [], 0
    bench.stop_fleet()  # none that has a log already
    with bench.fleet(symbols=1) as fleet:
        for millions, symbols, strategies in _cases(bench):
            if symbols != fleet.shape["symbols"]:
                fleet.reshape(symbols=symbols)
            is_longer = millions * 1e6 > length
            if is_longer:
                made = fill(fleet, millions * 1e6 - length, strategies=1000, symbols=symbols)
                length = millions * 1e6
                fleet.start(*WRITERS)
            fleet.wait_trading()
            if is_longer:
                history.wait_folded(fleet, made["barrier_seq"])
            case = "%g M events, %d symbol%s, %d strategies" % (millions, symbols, "s" if symbols > 1 else "", strategies)
            rows.append(one_load(bench, fleet, rate, seconds, case=case, symbols=symbols, strategies=strategies))
            costs.append(rows[-1].get("cpu_us_per_order"))
            if is_longer:
                same = _same_figures(bench, fleet, "%g M events" % millions)
                full_costs.append(same[0].get("cpu_us_per_order"))
                rows += same + history.measure(bench, fleet, millions, rate)
    bench.stop_fleet()  # its log is long
    sizes = [row["checkpoint_mb"] for row in rows if row.get("checkpoint_mb")]
    rows.append({"case": "all cases", "cost_ratio": _ratio(costs), "full_cost_ratio": _ratio(full_costs),
                 "checkpoint_ratio": round(sizes[-1] / sizes[0], 3) if sizes else None})
    return {"title": "growth: %s orders/s with ever more behind them" % format(round(rate), ","), "rows": rows,
            "notes": ["CPU per order, dearest over cheapest case: %s; at the full rate, of the logs: %s" % (
                rows[-1]["cost_ratio"], rows[-1]["full_cost_ratio"])]}
