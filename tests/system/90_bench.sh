#!/usr/bin/env bash
# The benchmark works: every scenario for a moment. No speed is judged here.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

report=$base/report.json
export TMPDIR=$base # its fleets live and die with this scenario
bench() { "$checkout/run/bench" --no-install "$@"; }

output=$(bench --quick --out "$report" 2>&1)
code=$?
if ((code != 0)); then not_passed "run/bench --quick ends with 0" "exit code $code: $(tail -n 25 <<<"$output")"; else passed "run/bench --quick ends with 0"; fi
[[ -s $report ]] || give_up "it writes a report" "$output"
check_equal "nothing was lost, nothing failed" "[] []" "$(field lost <"$report") $(field failures <"$report")"
check_equal "every scenario was measured" "orders idle events ticks strategies recovery overload replay limits peer growth" \
    "$(python -c 'import json, sys; print(*json.load(open(sys.argv[1]))["scenarios"])' "$report")"
empty=$(python -c '
import json, sys
scenarios = json.load(open(sys.argv[1]))["scenarios"]
print(*[name for name in scenarios if name != "peer" and not scenarios[name]["rows"]])' "$report")
check_equal "each has a result" "" "$empty"
check_equal "every order completed" "1.0" "$(field scenarios.orders.rows.0.success_share <"$report")"
check_that "its stages are measured" "$(python -c '
import json, sys
stages = json.load(open(sys.argv[1]))["scenarios"]["orders"]["rows"][0]["stages"]
print(int(len(stages) >= 11 and all(value["count"] > 0 for value in stages.values())))' "$report")"
check "two reports can be compared" bench --compare "$report" "$report"
check_equal "reports have a median and the span of all rounds, and of losses, gaps and successes the worst run counts" "2.0 [0.5, 4.0] 5 0.5 7" "$(
    for run in "1.0 0 1.0 0" "4.0 5 1.0 7" "2.0 0 0.5 0"; do
        read -r p50 lost success gaps <<<"$run"
        printf '{"scenarios": {"orders": {"title": "t", "rows": [{"case": "c", "p50_ms": %s, "lost": %s, "success_share": %s,
            "event_gaps": %s, "range": {"p50_ms": [0.5, %s]}}]}}, "commit": "c", "when": "w", "rate": 1, "quick": true, "no_limits": false, "failures": []}' \
            "$p50" "$lost" "$success" "$gaps" "$p50" >"$base/run-$p50.json"
    done
    bench --median "$base"/run-?.?.json --out "$base/median.json" >/dev/null
    python -c 'import json, sys; row = json.load(open(sys.argv[1]))["scenarios"]["orders"]["rows"][0]; print(row["p50_ms"], row["range"]["p50_ms"], row["lost"], row["success_share"], row["event_gaps"])' \
        "$base/median.json")"
check_equal "a limit whose case was not measured is missed, unless another rate was asked for; one of a shorter run is not judged" \
    "{False} set() {None}" "$(cd "$checkout/bench/driver" && PYTHONDONTWRITEBYTECODE=1 python -c '
import targets
nothing = {"orders": {"rows": []}}
short = {"orders": {"rows": [{"case": "10,000/s", "seconds": 5.0, "p50_ms": 1, "p99_ms": 1, "max_ms": 1, "success_share": 1.0}]}}
print(*[{target["met"] for target in targets.judge(*case)} for case in ((nothing,), (nothing, True), (short, True))])')"
check_equal "ticks that did not arrive are losses; targets that speak of a rate are not judged at another" "['ticks, c: 3 ticks'] []" \
    "$(cd "$checkout/bench/driver" && PYTHONDONTWRITEBYTECODE=1 python -c '
import targets
print(targets.losses({"ticks": {"rows": [{"case": "c", "ticks_lost": 3}]}}),
      targets.judge({"recovery": {"rows": [{"case": "postgres", "ready_ms": 1}]}}, True))')"
check_equal "the peer is compared by turns at the highest rate that it keeps up with, or by the highest rate of all; what is too short does not decide" \
    "False True False True False None None" "$(cd "$checkout/bench/driver" && PYTHONDONTWRITEBYTECODE=1 python -c '
import targets
def turn(rate, who, per_s, p99, seconds): return {"case": "%d/s by turns, the %s" % (rate, who), "offered_per_s": rate, "per_s": per_s, "p50_ms": p99 / 2,
                                                  "p99_ms": p99, "lost": 0, "peer_lost": 0, "success_share": 1.0, "seconds": seconds}
def verdict(*fleets, held=8, seconds=60):  # (completed/s, p99) of the fleet at 1/s, 2/s ..; the peer: all, 5
    rows = [{"case": "at its best", "per_s": 1.5, "peer_lost": 0}] + [turn(n + 1, who, *row, min(seconds, 15)) for n, fleet in enumerate(fleets)
                                                                      for who, row in (("peer", (n + 1, 5)), ("fleet", fleet))]
    orders = {"orders": {"rows": [{"case": "highest sustained", "per_s": held, "seconds": seconds}]}} if held else {}
    return next(target["met"] for target in targets.judge({**orders, "peer": {"rows": rows}}) if "peer" in target["text"])
print(verdict((1, 4), (2, 6), held=2), verdict((1, 6), (2, 4), held=2), verdict((1, 4), (1, 4), held=2), verdict((1, 6), held=2), verdict((1, 6), (2, 6), held=1.8),
      verdict((1, 6), held=0), verdict((1, 4), held=2, seconds=5))')"
check_equal "the highest rate holds for a minute, be it one that was offered so long; ticks that were late have a second attempt, lost ones have none" \
    "9290 10000 250000 50000" "$(cd "$checkout/bench/driver" && PYTHONDONTWRITEBYTECODE=1 python -c '
import types, orders, ticks
bench = types.SimpleNamespace(seconds=None, quick=lambda _, full: full)
def load(rate, seconds, most): return {"offered_per_s": rate, "per_s": rate, "seconds": seconds, "lost": 0, "p99_ms": 1, "success_share": float(rate <= most)}
def highest(held, minute):  # what was offered for a minute and held; what holds for one later
    orders.one_load = lambda bench, fleet, rate, seconds, case: load(rate, seconds, 12000 if seconds < 60 else minute)
    return orders._highest(bench, None, [load(held, 60, held), load(15000, 30, 12000)])["offered_per_s"]
def ladder(*seen):  # (lost, p99) of each attempt
    attempts = iter(seen)
    def one(bench, name, strategies, rate, seconds):
        lost, p99 = next(attempts)
        return {"offered_per_s": rate, "ticks_lost": lost, "p99_ms": p99}
    ticks._one = one
    return int(ticks._highest(bench, 1)["offered_per_s"])
print(highest(8000, 9600), highest(10000, 9000), ladder((0, 90), (0, 9), (0, 9), (0, 90), (0, 60), (0, 9)), ladder((1, 9), (0, 9)))')"
one_report() {
    printf '{"scenarios": {"%s": {"title": "t", "rows": [{"case": "c", "%s": 3}]}}, "commit": "c", "when": "w", "no_limits": true, "failures": []}' "$1" "$2" >"$base/with-$1.json"
}
one_report ticks ticks_lost
one_report strategies doubled
check_equal "medians tell the losses of every run; a scenario that one of them lacks is a failure" \
    "1 strategies: strategies, c: 3 orders too many; ticks: ticks, c: 3 ticks; strategies: ticks was not measured; ticks: strategies was not measured" "$(
    bench --median "$base"/with-*.json --out "$base/both.json" >/dev/null
    echo -n "$? "
    python -c 'import json, sys; found = json.load(open(sys.argv[1])); print("; ".join(text.split("with-")[1].replace(".json", "") for text in found["lost"] + found["failures"]))' \
        "$base/both.json")"
check_refused "an unknown scenario is refused" "no scenario \"speed\"" bench speed
check_refused "a rate that is no number is refused" "positive number" bench orders --rate fast
check_refused "reports of different measurements have no median" "the same measurement" bench --median "$report" "$base/run-1.0.json"
check_refused "a report that is named twice has no median" "named twice" bench --median "$report" "$report" --out "$base/twice.json"
check_refused "medians do not go over one of their reports" "is one of the reports" bench --median "$base/run-1.0.json" "$base/run-2.0.json" --out "$base/run-1.0.json"
check_refused "medians have no median" "name these instead" bench --median "$base/median.json" "$base/run-1.0.json" --out "$base/twice.json"
check_refused "a report that is not there is refused" "cannot read" bench --compare "$report" "$base/nothing"
echo "{}" >"$base/empty.json"
check_refused "what is no report is refused" "no report of run/bench" bench --compare "$report" "$base/empty.json"
check_equal "no fleet and no folder of it is left" "" "$(find "$base" -maxdepth 1 -name 'zb.*')"
