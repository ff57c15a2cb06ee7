#!/usr/bin/env bash
# Kill -9 of every process, of its supervisor, and of the database: the fleet trades again by itself, and nothing is
# lost or doubled.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

start_fleet --seed 5

is_new_and_trading() { [[ -n $(pid_of "$1") && $(pid_of "$1") != "$2" ]] && trading; }
fills() { [[ $(buy | field success) == true ]]; }

# last_restart NAME EXPRESSION: a Python expression over the last restart of a process (r), as `status` tells it; age is
# in seconds.
last_restart() {
    fleet status --json | python -c '
import datetime, json, sys
r = next(p["last_restart"] for p in json.load(sys.stdin)["processes"] if p["name"] == sys.argv[1])
if r:
    at = datetime.datetime.fromisoformat(r["at"].replace("Z", "+00:00"))
    age = (datetime.datetime.now(datetime.timezone.utc) - at).total_seconds()
print(r and eval(sys.argv[2]))' "$1" "$2"
}
# tells NAME EXPRESSION: it is so; otherwise the whole restart is what was compared.
tells() { [[ $(last_restart "$1" "($2) or r") == True ]]; }
came_back='r["outcome"] == "works" and 0 < r["recovered_ms"] < 20000 and 0 <= age < 60'

check_equal "before anything ended there is nothing to tell" None "$(last_restart risk 'r["cause"]')"

for name in venue-alpha venue-beta gateway-alpha gateway-beta risk executor portfolio orchestrator replayer checkpointer maker postgres; do
    pid=$(pid_of "$name")
    kill -9 "$pid"
    started=$(date +%s%N)
    check "$name comes back after kill -9" wait_until 20 is_new_and_trading "$name" "$pid"
    took=$((($(date +%s%N) - started) / 1000000))
    check "orders fill again after $name was killed (trading after $took ms)" wait_until 20 fills
    check "status tells why and how long ($(last_restart "$name" 'r["recovered_ms"]') ms)" \
        wait_until 20 tells "$name" "r['cause'] == 'killed by SIGKILL' and r['signal'] == 'SIGKILL' and $came_back"
done
check "verify passes after all of that" fleet verify

# Its supervisor: the process must not go on beside a second one.
pid=$(pid_of portfolio)
kill -9 "$(ps -o ppid= -p "$pid" | tr -d ' ')"
check "a process whose s6-supervise is killed is replaced" wait_until 20 is_new_and_trading portfolio "$pid"
check_equal "and does not run twice" 1 "$(pids_like "$home" 'zvt-portfolio --name' | wc -l)"
check "status tells that its supervisor was killed" wait_until 20 tells portfolio "r['cause'] == 'supervisor killed' and $came_back"

# Other ends: a signal to stop that nobody of the fleet sent, a restart that was asked for, a program that fails.
pid=$(pid_of risk)
kill -TERM "$pid"
check "risk comes back after SIGTERM" wait_until 20 is_new_and_trading risk "$pid"
check "status tells that it stopped" wait_until 20 tells risk "r['cause'] == 'exit 0: stopped' and r['exit_code'] == 0 and $came_back"
check "restart" fleet restart risk
check "status tells that it was asked for" wait_until 20 tells risk "r['cause'] == 'asked by fleet restart' and $came_back"
printf '#!/bin/sh\nsleep 0.3\nexit 7\n' >"$base/fails"
chmod +x "$base/fails"
fleet attach "$base/fails" --name fails >/dev/null 2>&1
stays_down() { [[ $(process_rows 'p["state"] if p["name"] == "fails" else ""' | tr -d ' ') == failed ]]; }
check "a program that fails again and again stays down" wait_until 30 stays_down
check "status tells how it ended" wait_until 20 tells fails "r['cause'] == 'exit 7' and r['outcome'] == 'down'"
status=$(fleet status)
check "and what to do" grep -q 'restart fails' <<<"$status"
check "and that it was often" grep -q 'fails was restarted [0-9]* times in the last minute, at last: exit 7' <<<"$status"
check_equal "restarts lists every end of it" 5 "$(fleet restarts fails --json | grep -c '"cause": "exit 7"')"
check "restarts lists those of all processes in order of time" python -c '
import json, sys
rows = [json.loads(line) for line in sys.argv[1].splitlines()]
assert rows and rows == sorted(rows, key=lambda r: r["at"])
assert {"postgres", "risk", "orchestrator", "fails"} <= {r["process"] for r in rows}' "$(fleet restarts --json)"
check "detach" fleet detach fails
check "orders fill" wait_until 20 fills

# The orchestrator under load, many times.
for round in 1 2 3 4 5; do
    pid=$(pid_of orchestrator)
    for _ in 1 2 3 4; do buy SOL/USDT 1 >/dev/null 2>&1 & done
    kill -9 "$pid"
    wait
    check "orchestrator killed under load, round $round" wait_until 20 is_new_and_trading orchestrator "$pid"
done
check "verify passes" fleet verify

# Kills come from people and from the kernel: they do not count as crashes, after which a strategy stays down.
for round in 1 2 3 4 5 6; do
    pid=$(pid_of maker)
    kill -9 "$pid"
    check "a strategy comes back, kill $round within a minute" wait_until 20 is_new_and_trading maker "$pid"
done

# A full disk: what there is no room to note is told as far as it is known.
runs=$home/s6/services/risk/data/runs
if ((EUID == 0)) && mount -t tmpfs -o size=4k tmpfs "$runs" 2>/dev/null; then
    head -c 4096 /dev/zero >"$runs/ballast"
    for round in 1 2; do
        pid=$(pid_of risk)
        kill -9 "$pid"
        check "risk comes back although nothing can be noted, $round" wait_until 20 is_new_and_trading risk "$pid"
    done
    check "restarts tells the end all the same" grep -q 'ended: no room to note how' <<<"$(fleet restarts risk)"
    umount -l "$runs"
fi

# The supervisor itself: the processes work on, and so do the commands that only need them; the next up stops and starts all anew.
said() { "$@" >"$base/said" 2>&1; }
kill -9 "$(cat "$home/s6/pid")"
check "overview says that the supervisor is gone" grep -q 'without its supervisor' <<<"$(fleet)"
check "orders fill without it" wait_until 20 fills
check "halt works without it" fleet halt --reason "the supervisor is gone"
check "the kill switch works without it" said fleet kill --reason "the supervisor is gone"
check_equal "which one line says" 1 "$(grep -c 'the supervisor is gone, nothing restarts what ends; .* up" repairs it' "$base/said")"
check "resume lifts both without it" fleet resume
check "orders are listed without it" fleet orders
check "orders fill after that" wait_until 20 fills
check_refused "what needs the supervisor says how to repair it" 'is running without its supervisor \(".* up" repairs it' fleet restart risk
kill -9 "$(ps -o ppid= -p "$(pid_of risk)" | tr -d ' ')"
began=$SECONDS
check "up repairs it" fleet up
took=$((SECONDS - began))
check_that "soon, although one process had lost its own supervisor too ($took s)" "took < 40 * slow"
check "the fleet trades" wait_until 20 fills
check "verify passes at the end" fleet verify
