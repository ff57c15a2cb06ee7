#!/usr/bin/env bash
# Recorded markets: a sample from a bare clone, and the real captures where they are at hand.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

sample=$base/sample.jsonl.gz
check "sample writes a recording" fleet sample "$sample" --seconds 600
check_refused "sample does not overwrite" "is there already" fleet sample "$sample"
check_refused "a recording that is not there is named" "nowhere.gz" fleet up --replay "$base/nowhere.gz"
check_refused "--speed needs a recording" "--replay" fleet up --speed 5

quote_moves() {
    local first
    first=$(fleet quote BTC/USDT --json | field 0.symbol_seq)
    wait_until 10 quote_is_past "$first"
}
quote_is_past() { (($(fleet quote BTC/USDT --json | field 0.symbol_seq) > $1)); }

# replay_trades FILES: strategies and people trade on the recording, and the log stands up to verify.
replay_trades() {
    start_fleet --replay "$1" --speed 20
    check_equal "only the venue of the recording runs" "gateway-alpha venue-alpha" "$(process_rows 'p["name"]' | grep -oE '(gateway|venue)-[a-z]+' | paste -sd ' ')"
    check "quotes come from the recording" quote_moves
    check_equal "an order fills on the recorded book" true "$(buy BTC/USDT 0.01 | field success)"
    check "tail shows strategies' orders" wait_until 60 strategies_have_orders
    check "verify passes" fleet verify
    check_refused "the synthetic market is refused in this home" "synthetic" fleet up --seed 1
    check "down" fleet down
    start_fleet
    check "the recording goes on after down and up" grep -qF "the recorded market $1" <<<"$(fleet up)"
    check "verify passes again" fleet verify
    check "down --wipe" fleet down --wipe --yes
}
strategies_have_orders() {
    (($(sql "select count(*) from event_store where event_type = 'order.requested' and event_data->>'strategy_id' in ('momentum', 'breakout')") > 0))
}

replay_trades "$sample"

captures=$(find "$checkout/../shared/data" -maxdepth 1 -name 'binance_spot_btcusdt_*.jsonl.gz' 2>/dev/null | sort | xargs -r realpath | paste -sd ,)
if [[ -n $captures ]]; then replay_trades "$captures"; fi

# ---- damaged recordings ----
zcat "$sample" | head -c 300000 >"$base/cut.jsonl"
start_fleet --replay "$base/cut.jsonl" --speed max --no-strategies
check "a recording cut in the middle of a line is played to there, and that is said" \
    wait_until 20 grep -q 'is cut in the middle of line' "$home/log/venue-alpha/current"
check "down --wipe" fleet down --wipe --yes
head -c 2000 "$sample" >"$base/cut.jsonl.gz"
start_fleet --replay "$base/cut.jsonl.gz" --speed max --no-strategies
check "a gzip file that ends early is played to there, and that is said" \
    wait_until 20 grep -q 'cut.jsonl.gz: its gzip data is damaged or ends early' "$home/log/venue-alpha/current"
check_refused "orders are refused after the end" "MARKET_CLOSED|NO_REFERENCE_PRICE|NO_VENUE" \
    fleet order --symbol BTC/USDT --side buy --quantity 0.01 --timeout 10
check_equal "status says that the market has ended" "market ended" "$(fleet status --json | field fleet.state)"
check "and ends with 0, because nothing is wrong" fleet status
check "the venue is restarted" fleet restart venue-alpha
check_equal "the market stays closed" "ended" "$(fleet status --json | field fleet.market)"
fleet down >/dev/null 2>&1
check "so it does after down and up, which says how to play it again" \
    grep -q 'has ended: orders will be refused. To play it again: .* up --replay' <<<"$(fleet up --no-strategies 2>&1)"
fleet down >/dev/null 2>&1
check "naming the recording plays it again" \
    grep -q 'is played again from its beginning' <<<"$(fleet up --replay "$base/cut.jsonl.gz" --no-strategies 2>&1)"
fleet down --wipe --yes >/dev/null 2>&1
printf 'this is not a recording\n' >"$base/nonsense.jsonl"
check_refused "a file that is no recording is refused" "nonsense.jsonl" fleet up --replay "$base/nonsense.jsonl" --no-strategies
