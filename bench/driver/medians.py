"""medians -- several reports of the same measurement as one: every figure is the median, with the span it lies in.

Losses are not averaged: of what was lost or missed, and of the share that succeeded, the worst run counts, and every run's losses
are told. A case that not every run has is left out (a rate that the peer did not reach once); a scenario that one lacks is a failure.
"""

import os
import statistics

import report
from fleet import BenchError


def read(paths):
    """The reports; refuses those that are not runs of one measurement."""
    reports = [report.read(path) for path in paths]
    for path, one in zip(paths, reports):
        if "medians_of" in one:
            raise BenchError("%s has the medians of %s; name these instead" % (path, ", ".join(one["medians_of"])))
    if not any(one["scenarios"] for one in reports):
        raise BenchError("nothing was measured in these reports")
    if len({os.path.realpath(path) for path in paths}) < len(paths):
        raise BenchError("a report is named twice; medians are of different runs")
    for path, one in zip(paths, reports):
        for name in report.SAME:
            if one.get(name) != reports[0].get(name):
                raise BenchError("%s was measured with --%s %s, %s with %s; medians are of runs of the same measurement" % (
                    path, name, one.get(name), paths[0], reports[0].get(name)))
    return reports


def _is_number(value):
    return isinstance(value, (int, float)) and not isinstance(value, bool)


def _merge(values, key=""):
    """One value of all runs: numbers by their median, dictionaries by their keys, anything else only if it is the same."""
    if all(_is_number(value) for value in values):
        worst = max if key.endswith(("lost", "gaps", "doubled")) else min if key == "success_share" else None
        return worst(values) if worst else round(statistics.median(values), 6)
    if all(isinstance(value, dict) for value in values):
        keys = [name for name in values[0] if all(name in value for value in values)]
        return {name: _merge([value[name] for value in values], name) for name in keys}
    return values[0] if all(value == values[0] for value in values) else None


def of_case(rows):
    """The rows of one case as one."""
    merged = _merge(rows)
    merged["range"] = {key: [min(_span(row, key)[0] for row in rows), max(_span(row, key)[1] for row in rows)]
                       for key in merged if all(_is_number(row[key]) for row in rows)}
    return merged


def _span(row, key):
    """What a figure lies in, which is itself a median where a run had several rounds."""
    return row.get("range", {}).get(key, (row[key], row[key]))


def _scenario(runs):
    """The cases that every run has."""
    found = []
    for first in runs[0]["rows"]:
        rows = [next((row for row in run["rows"] if row["case"] == first["case"]), None) for run in runs]
        if all(rows):
            found.append(of_case(rows))
    merged = _merge([{key: value for key, value in run.items() if key not in ("rows", "notes")} for run in runs])
    return {**merged, "title": runs[0]["title"], "rows": found, "notes": ["medians of %d runs, with the lowest and the highest" % len(runs)]}


def missing(paths, reports):
    """What some runs have measured and others have not, as text."""
    names = dict.fromkeys(name for one in reports for name in one["scenarios"])
    return ["%s: %s was not measured" % (path, name) for path, one in zip(paths, reports) for name in names if name not in one["scenarios"]]


def of(reports):
    """The scenarios that every report has."""
    names = [name for name in reports[0]["scenarios"] if all(name in one["scenarios"] for one in reports)]
    return {name: _scenario([one["scenarios"][name] for one in reports]) for name in names}
