#!/usr/bin/env bash
# Kill -9 of every process, of its supervisor, and of the database: the fleet trades again by itself, and nothing is
# lost or doubled.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

start_fleet --seed 5

is_new_and_trading() { [[ -n $(pid_of "$1") && $(pid_of "$1") != "$2" ]] && trading; }
fills() { [[ $(buy | field success) == true ]]; }

for name in venue-alpha gateway-beta risk executor portfolio orchestrator replayer checkpointer postgres; do
    pid=$(pid_of "$name")
    kill -9 "$pid"
    started=$(date +%s%N)
    check "$name comes back after kill -9" wait_until 20 is_new_and_trading "$name" "$pid"
    took=$((($(date +%s%N) - started) / 1000000))
    check "orders fill again after $name was killed (trading after $took ms)" wait_until 20 fills
done
check "verify passes after all of that" fleet verify

# Its supervisor: the process must not go on beside a second one.
pid=$(pid_of portfolio)
kill -9 "$(ps -o ppid= -p "$pid" | tr -d ' ')"
check "a process whose s6-supervise is killed is replaced" wait_until 20 is_new_and_trading portfolio "$pid"
check_equal "and does not run twice" 1 "$(pids_like "$home" 'zvt-portfolio --name' | wc -l)"

# The orchestrator under load, many times.
for round in 1 2 3 4 5; do
    pid=$(pid_of orchestrator)
    for _ in 1 2 3 4; do buy SOL/USDT 1 >/dev/null 2>&1 & done
    kill -9 "$pid"
    wait
    check "orchestrator killed under load, round $round" wait_until 20 is_new_and_trading orchestrator "$pid"
done
check "verify passes" fleet verify

# The supervisor itself: everything it left is stopped by the next up, which starts anew.
kill -9 "$(cat "$home/s6/pid")"
check "overview says that the supervisor is gone" grep -q 'without its supervisor' <<<"$(fleet)"
check "up repairs it" fleet up
check "the fleet trades" wait_until 20 fills
check "verify passes at the end" fleet verify
