# shellcheck shell=bash
# lib -- what every scenario uses: a fleet of its own in a temporary home, checks that are counted, and waiting.
#
# Environment, set by run/test  ZVT_BIN: binaries to test; ZVT_TEST_BASE: a folder for this scenario;
#                               ZVT_TEST_RESULTS: where "ok TEXT" and "FAILED TEXT" lines go;
#                               ZVT_TEST_SLOW: factor for time limits (sanitizers are slow).
set -uo pipefail

checkout=$(dirname -- "$(dirname -- "$(dirname -- "$(realpath -- "${BASH_SOURCE[0]}")")")")
base=${ZVT_TEST_BASE:?run this through run/test system}
home=$base/home
slow=${ZVT_TEST_SLOW:-1}
mkdir -p -- "$base"

# The fleet of this scenario, or of another home: fleet_at HOME COMMAND ..
fleet() { "$checkout/run/fleet" --home "$home" "$@"; }
fleet_at() { "$checkout/run/fleet" --home "$@"; }

# ---- checks: each is counted; a failed one shows what was seen, and what the fleet's logs have warned of ----
passed() {
    printf 'ok %s\n' "$1" >>"$ZVT_TEST_RESULTS"
    printf '    ok     %s\n' "$1"
}

# not_passed TEXT [DETAIL]
not_passed() {
    printf 'FAILED %s\n' "$1" >>"$ZVT_TEST_RESULTS"
    printf '    FAILED %s\n' "$1"
    [[ -z ${2:-} ]] || printf '%s\n' "$2" | head -n 30 | sed 's/^/           /'
    "$checkout/tests/system/trouble" "$base"
}

# check TEXT COMMAND..: the command succeeds. Of a function that fails, what it compared last is shown too.
check() {
    local text=$1 output code
    shift
    : >"$base/compared"
    output=$(traced "$@" 2>&1)
    code=$?
    if ((code == 0)); then
        passed "$text"
    else
        not_passed "$text" "exit code $code of: $* -- $output
$(grep -E '^\++ (\[\[|\(\(|test |grep )' "$base/compared" | tail -n 3)"
    fi
}

# Runs a command; what a function does is noted in a file. The supervisor, which stays, must not inherit that.
traced() {
    if [[ $1 == fleet* || $(type -t "$1") != function ]]; then
        "$@"
    else
        exec 9>"$base/compared"
        BASH_XTRACEFD=9
        set -x
        "$@"
    fi
}

# check_refused TEXT PATTERN COMMAND..: the command fails, and says something that matches the pattern.
check_refused() {
    local text=$1 pattern=$2 output code
    shift 2
    output=$("$@" 2>&1)
    code=$?
    if ((code == 0)); then
        not_passed "$text" "it was not refused: $output"
    elif ((code >= 126)); then
        not_passed "$text" "exit code $code: $output"
    elif [[ ! $output =~ $pattern ]]; then
        not_passed "$text" "refused, but without \"$pattern\": $output"
    else
        passed "$text"
    fi
}

# check_equal TEXT EXPECTED ACTUAL
check_equal() {
    if [[ $2 == "$3" ]]; then passed "$1"; else not_passed "$1" "expected: $2
seen:     $3"; fi
}

# check_that TEXT EXPRESSION: an arithmetic expression is true.
check_that() {
    if (($2)); then passed "$1"; else not_passed "$1" "not so: $2"; fi
}

# give_up TEXT: nothing that follows makes sense.
give_up() {
    not_passed "$1" "${2:-}"
    exit 1
}

# ---- waiting: never a sleep in place of a condition ----
# wait_until SECONDS COMMAND..: true as soon as the command succeeds.
wait_until() {
    local end=$((SECONDS + $1 * slow))
    shift
    until "$@" >/dev/null 2>&1; do
        ((SECONDS < end)) || return 1
        sleep 0.1
    done
}

# ---- reading answers ----
# Debian's own Python, because it is the one that has the packages.
python() { /usr/bin/python3 "$@"; }

# field PATH: the value at PATH ("fleet.seq", "processes.0.name") of the JSON on stdin.
field() {
    python -c '
import json, sys
value = json.load(sys.stdin)
for key in sys.argv[1].split("."):
    value = value[int(key)] if isinstance(value, list) else value[key]
print(json.dumps(value) if isinstance(value, (dict, list, bool)) else "null" if value is None else value)' "$1"
}

# lacks WORD..: which of the words are not members of the JSON object on stdin.
lacks() {
    python -c '
import json, sys
text = sys.stdin.read()
print(*[w for w in sys.argv[1:] if w not in json.loads(text)])' "$@" 2>&1
}

sql() { fleet psql -At -F '|' -c "$1"; }

# process_rows EXPRESSION: for every process of `status --json` (as p), the value of a Python expression.
process_rows() {
    fleet status --json | python -c '
import json, sys
print(*sorted(str(eval(sys.argv[1])) for p in json.load(sys.stdin)["processes"]))' "$1"
}
pid_of() {
    fleet status --json | python -c '
import json, sys
print(*[p["pid"] for p in json.load(sys.stdin)["processes"] if p["name"] == sys.argv[1] and p["pid"]])' "$1"
}

# pids_like HOME PATTERN: processes of that home whose command line matches; other fleets may run on the machine.
pids_like() {
    local pid
    pgrep -f -- "$2" | while read -r pid; do
        grep -qsz -- "^ZVT_HOME=$1\$" "/proc/$pid/environ" && echo "$pid"
    done
    return 0
}

trading() { [[ $(fleet status --json | field fleet.state) == trading ]]; }

# start_fleet [ARGUMENT OF up]..: the scenario cannot go on without it.
start_fleet() {
    local output
    if ! output=$(fleet up "$@" 2>&1); then give_up "the fleet starts ($*)" "$output"; fi
    passed "the fleet starts${*:+ ($*)}"
}

# An order at the market that fills, for scenarios that only need one.
buy() { fleet order --symbol "${1:-BTC/USDT}" --side buy --quantity "${2:-0.01}" --json; }

# ---- the end ----
stop_fleets() {
    local marker
    for marker in "$base"/*/.zvt-fleet; do
        [[ -e $marker ]] && fleet_at "$(dirname -- "$marker")" down --wipe --yes >/dev/null 2>&1
    done
    return 0
}
trap stop_fleets EXIT
trap 'exit 130' INT TERM HUP
