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
check_refused "an unknown scenario is refused" "no scenario \"speed\"" bench speed
check_refused "a rate that is no number is refused" "positive number" bench orders --rate fast
check_refused "a report that is not there is refused" "cannot read" bench --compare "$report" "$base/nothing"
check_equal "no fleet and no folder of it is left" "" "$(find "$base" -maxdepth 1 -name 'zb.*')"
