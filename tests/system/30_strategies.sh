#!/usr/bin/env bash
# Strategies come and go while the fleet trades: built-in ones, a program in C, the Python example, and broken ones.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

start_fleet --no-strategies

orders_of() { sql "select count(*) from event_store where event_type = 'order.requested' and event_data->>'strategy_id' = '$1'"; }
has_orders() { (($(orders_of "$1") > 0)); }

# ---- attaching ----
check "strategies lists the built-in ones" grep -q market_maker <<<"$(fleet strategies)"
check_equal "strategies --json is JSON" breakout "$(fleet strategies --json | python -c 'import json, sys; print([s["name"] for s in json.load(sys.stdin) if s["name"] == "breakout"][0])')"
check "a built-in strategy attaches" fleet attach market_maker --name quoter --symbol SOL/USDT --venue beta
check "it trades" wait_until 30 has_orders quoter
check "the Python example attaches" fleet attach "$checkout/strategy/examples/momentum.py" --name snake --symbol ETH/USDT --set ticks=2
check "it trades" wait_until 90 has_orders snake
check "a C program attaches" fleet attach "$ZVT_BIN/zvt-simple-strategy" --name simple --symbol BTC/USDT
check_equal "status shows them as strategies" "quoter simple snake" "$(process_rows 'p["name"] if p["kind"] == "strategy" else ""' | xargs)"
check "env names the endpoints" grep -q 'ZVT_ENDPOINT_SIGNALS=.ipc://' <<<"$(fleet env)"

# ---- refusals ----
check_refused "an unknown strategy is refused with the known ones" "momentum" fleet attach nonsense
check_refused "a missing file is refused" "no file" fleet attach ./nowhere
printf '#!/bin/sh\n' >"$base/plain.sh"
check_refused "a file that may not be executed is refused" "chmod" fleet attach "$base/plain.sh"
check_refused "an unknown instrument is refused" "instrument" fleet attach momentum --symbol NO/SUCH
check_refused "an unknown venue is refused" "venue" fleet attach momentum --venue gamma
check_refused "a name that is taken is refused" "already" fleet attach momentum --name risk
check_refused "a setting without a value is refused" "KEY=VALUE" fleet attach momentum --set ticks
check_refused "an unknown setting is refused with the strategy's own words" "rising_ticks" fleet attach momentum --name bad --set bogus=1

# ---- crashes ----
printf '#!/bin/sh\necho "no module named trading"\nexit 3\n' >"$base/broken.sh"
chmod +x "$base/broken.sh"
check_refused "a script that crashes at once is stopped after five crashes, with its last lines" "5 times in a row.*no module named trading" \
    fleet attach "$base/broken.sh"
check "strategies shows that it is stopped" grep -q 'broken *failed' <<<"$(fleet strategies 2>&1)"
check "status shows its last lines" grep -q 'no module named trading' <<<"$(fleet status)"
check "detach forgets it" fleet detach broken

seq=$(sql "select max(seq) from events")
pid=$(pid_of quoter)
kill -9 "$pid"
is_back() { [[ -n $(pid_of "$1") && $(pid_of "$1") != "$2" ]]; }
check "a strategy that is killed comes back" wait_until 10 is_back quoter "$pid"
check_equal "nobody else was disturbed" "0" "$(process_rows 'p["restarts"] if p["kind"] != "strategy" else ""' | xargs -n 1 | sort -u)"
check_equal "the fleet trades on" true "$(buy BTC/USDT | field success)"
orders_grow() { (($(sql "select count(*) from event_store where event_type = 'order.requested' and event_data->>'strategy_id' = '$1' and seq > $2") > 0)); }
check "the killed strategy trades again" wait_until 30 orders_grow quoter "$seq"

# ---- coming back, detaching ----
check "restart of one process" fleet restart risk
check "down" fleet down
start_fleet
check_equal "attached strategies come back with the next up" "quoter simple snake" "$(process_rows 'p["name"] if p["name"] in ("quoter", "simple", "snake") else ""' | xargs)"
check "detach" fleet detach quoter simple snake
check_equal "they are gone" "" "$(process_rows 'p["name"] if p["name"] in ("quoter", "simple", "snake") else ""' | xargs)"
check_refused "detaching a stranger is refused" "no strategy" fleet detach nobody
check_refused "detaching a process that is no strategy is refused" "not a strategy" fleet detach risk
check "verify passes" fleet verify
