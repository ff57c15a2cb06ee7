"""report -- tables of what was measured, and the comparison of two reports.

A report is {"scenarios": {name: {"title", "rows": [{"case": .., figure: number ..}], ..}}, "targets": [..], ..}.
"""

import json
import math

from fleet import BenchError

# Figures in the order of the table: key, heading, digits.
COLUMNS = [
    ("offered_per_s", "offered/s", 0), ("per_s", "achieved/s", 0), ("share_of_limit", "of limit", 3),
    ("success_share", "succeeded", 5), ("lost", "lost", 0), ("ticks_lost", "ticks lost", 0), ("p50_without_ms", "p50 without", 3), ("p50_ms", "p50 ms", 3),
    ("p50_factor", "factor", 3), ("p50_interval", "interval", 3), ("p99_without_ms", "p99 without", 3), ("p99_ms", "p99 ms", 3),
    ("p99_factor", "factor", 3), ("p99_interval", "interval", 3),
    ("p999_ms", "p99.9 ms", 3), ("max_ms", "max ms", 2), ("again_ms", "again ms", 1),
    ("stall_ms", "stall ms", 1), ("under_way_ms", "under way ms", 1), ("cpu_us_per_order", "CPU us/order", 1), ("switches_per_order", "switches/order", 2), ("cpu_us_per_event", "CPU us/event", 2), ("reading_us_per_event", "reading us/event", 2), ("gateway_us_per_tick", "gateway us/tick", 2), ("cores", "cores", 2),
    ("ready_ms", "ready ms", 0), ("redo_ms", "redo ms", 0), ("checkpoint_mb", "checkpoint MB", 2),
    ("risk_snapshot_mb", "risk MB", 2), ("portfolio_snapshot_mb", "portfolio MB", 2), ("cost_ratio", "cost ratio", 3), ("full_cost_ratio", "at the full rate", 3), ("event_gaps", "gaps", 0), ("checkpoint_ratio", "checkpoint ratio", 3),
    ("rss_mb_total", "RSS MB", 0), ("rows_per_s", "rows/s", 0), ("wal_bytes_per_order", "WAL B/order", 0),
]
VERDICTS = {True: "met", False: "MISSED"}
# What was asked for, and counts that follow from it.
NOT_COMPARED = {"offered_per_s", "orders", "outcomes", "seconds", "events", "pairs", "requested", "signals_sent",
                "partially_filled", "canceled", "done_per_s", "control_per_s"}
ANY_CHANGE_COUNTS = {"success_share", "lost", "ticks_lost", "event_gaps", "market_gaps"}
SAME = ("rate", "seconds", "events", "pairs", "quick")  # options that two runs of one measurement share
HIGHER_IS_BETTER = {"per_s", "share_of_limit", "success_share", "rows_per_s", "updates_per_s", "quotes_per_s"}


def _cell(value, digits, span=None):
    """`span` is what a median lies in, [lowest, highest]."""
    if value is None:
        return "-"
    if isinstance(value, str):
        return value
    text = "{:,.{}f}".format(value, digits)
    ends = ["{:,.{}f}".format(end, digits) for end in span or ()]
    return "%s (%s .. %s)" % (text, *ends) if ends and ends[0] != ends[1] else text


def _grid(lines):
    widths = [max(len(line[i]) for line in lines) for i in range(len(lines[0]))]
    return "\n".join("  " + "  ".join(cell.ljust(w) if i == 0 else cell.rjust(w) for i, (cell, w) in enumerate(zip(line, widths)))
                     for line in lines)


def table(scenario):
    """One scenario as text."""
    rows = scenario["rows"]
    columns = [column for column in COLUMNS if any(row.get(column[0]) is not None for row in rows)]
    lines = [[""] + [heading for _, heading, _ in columns]]
    for row in rows:
        lines.append([row["case"]] + [_cell(row.get(key), digits, row.get("range", {}).get(key)) for key, _, digits in columns])
    text = scenario["title"] + "\n" + (_grid(lines) if rows else "  (nothing was measured)")
    text += _by_name(rows, "stages", "stages, ms since due (p50 / p99)", lambda value: "%.2f / %.2f" % (value["p50"], value["p99"]))
    text += _by_name(rows, "cpu_us", "CPU, us per order", lambda value: "%.1f" % value)
    for note in scenario.get("notes", []):
        text += "\n  " + note
    return text


def _by_name(rows, key, title, show):
    """A second table: names down, cases across."""
    rows = [row for row in rows if row.get(key)]
    if not rows:
        return ""
    names = []
    for row in rows:
        names += [name for name in row[key] if name not in names]
    lines = [[title] + [row["case"] for row in rows]]
    lines += [[name] + [show(row[key][name]) if name in row[key] else "-" for row in rows] for name in names]
    return "\n" + _grid(lines)


def targets_table(targets):
    """What was to be reached."""
    lines = [["", "limit", "seen", ""]]
    for target in targets:
        verdict = ": ".join(word for word in (VERDICTS.get(target["met"], ""), target["why"]) if word)
        lines.append([target["text"], _cell(target["limit"], 3), _cell(target["seen"], 3), verdict])
    return _grid(lines)


def read(path):
    """One report; refuses what is none."""
    try:
        with open(path) as file:
            found = json.load(file)
    except (OSError, ValueError) as error:
        raise BenchError("%s is no report of run/bench: %s" % (path, error)) from error
    if not isinstance(found, dict) or any(name not in found for name in ("scenarios", "failures", "commit", "when")):
        raise BenchError("%s is no report of run/bench" % path)
    return found


# ---- comparing ----
def _flat(report):
    """{(scenario, case, figure): number}."""
    found = {}
    for name, scenario in report.get("scenarios", {}).items():
        for row in scenario["rows"]:
            for key, value in row.items():
                if isinstance(value, dict):
                    for inner, number in value.items():
                        if isinstance(number, (int, float)):
                            found[name, row["case"], key + "." + inner] = number
                        elif isinstance(number, dict):
                            found.update({(name, row["case"], "%s.%s.%s" % (key, inner, point)): number[point]
                                          for point in ("p50", "p99") if point in number})
                elif isinstance(value, (int, float)) and not isinstance(value, bool):
                    found[name, row["case"], key] = value
    return found


def _spans(report):
    """{(scenario, case, figure): [lowest, highest]} of medians."""
    return {(name, row["case"], key): span for name, scenario in report.get("scenarios", {}).items()
            for row in scenario["rows"] for key, span in row.get("range", {}).items()}


def _change(key, a, b, overlap=False):
    """The change in percent, and what it means; nothing when it is small, or medians whose runs `overlap`."""
    if a == 0:
        change, text = (math.copysign(math.inf, b), "from 0") if b else (0.0, "+0.0")
    else:
        change = (b - a) / abs(a) * 100
        text = "%+.1f" % change
    if change == 0 or (key not in ANY_CHANGE_COUNTS and (abs(change) < 5 or overlap)):
        return [text, ""]
    return [text, "better" if (change > 0) == (key in HIGHER_IS_BETTER) else "worse"]


def compare(path_a, path_b):
    """Two reports side by side."""
    report_a, report_b = read(path_a), read(path_b)
    a, b = _flat(report_a), _flat(report_b)
    spans_a, spans_b = _spans(report_a), _spans(report_b)
    lines = [["", "A", "B", "change %", ""]]
    for place in [place for place in a if place in b]:
        if place[2].split(".")[0] in NOT_COMPARED:
            continue
        of_a, of_b = spans_a.get(place), spans_b.get(place)
        overlap = of_a is not None and of_b is not None and of_a[0] <= of_b[1] and of_b[0] <= of_a[1]
        lines.append([" ".join(place), _cell(a[place], 3), _cell(b[place], 3), *_change(place[2], a[place], b[place], overlap)])
    head = "A  %s  %s  %s\nB  %s  %s  %s\n" % (path_a, report_a["when"], report_a["commit"], path_b, report_b["when"], report_b["commit"])
    head += "".join("They were not measured alike: --%s %s and %s\n" % (name, report_a.get(name), report_b.get(name))
                    for name in SAME if report_a.get(name) != report_b.get(name))
    missing = ["%s %s" % place[:2] for place in sorted(set(a) ^ set(b))]
    tail = "\nOnly in one of them: %s" % ", ".join(dict.fromkeys(missing)) if missing else ""
    return head + _grid(lines) + tail
