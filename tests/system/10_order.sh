#!/usr/bin/env bash
# The first ten minutes: up, one order through the whole saga, a resting order, halt, verify, down and up again.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

held() { python -c 'import json, sys; print(sorted((r["strategy_id"], r["symbol"], r["quantity"]) for r in json.load(sys.stdin) if r["symbol"]))'; }

start_fleet --no-strategies --seed 11

# ---- status ----
status=$(fleet status --json)
check_equal "status says that the fleet trades" trading "$(field fleet.state <<<"$status")"
check_equal "status has a row for every process" \
    "checkpointer executor gateway-alpha gateway-beta orchestrator portfolio postgres replayer risk venue-alpha venue-beta" "$(process_rows 'p["name"]')"
check_equal "every process is ready and has a pid" "True True True True True True True True True True True" \
    "$(process_rows 'p["ready"] and p["pid"] > 1')"
check_equal "a row has the promised members" "" "$(field processes.1 <<<"$status" | lacks name kind pid uptime_s restarts ready)"
for name in postgres orchestrator risk; do
    check_equal "$name is a batch job of the scheduler" SCHED_BATCH "$(chrt -p "$(pid_of "$name")" | grep -o 'SCHED_[A-Z]*')"
done
check "status for people shows the processes" grep -q orchestrator <<<"$(fleet status)"
check "a second up changes nothing" fleet up

# ---- one order ----
answer=$(fleet order --symbol BTC/USDT --side buy --quantity 0.1 --request-id first --json)
check_equal "a market order succeeds" true "$(field success <<<"$answer")"
check_equal "it is filled" 0.1 "$(field filled_quantity <<<"$answer")"
check_equal "its answer has the promised members" "" "$(lacks success order_id exchange_order_id message filled_quantity \
    avg_fill_price commission commission_asset latency_ms correlation_id <<<"$answer")"
order_id=$(field order_id <<<"$answer")
correlation_id=$(field correlation_id <<<"$answer")

again=$(fleet order --symbol BTC/USDT --side buy --quantity 0.1 --request-id first --json)
check_equal "the same request id gives the same order" "$order_id" "$(field order_id <<<"$again")"
check_equal "and what was executed of it is that, in one fill or more" 0.1 \
    "$(sql "select trim_scale(sum((event_data->>'executed_quantity')::numeric)) from event_store where event_type = 'order.executed' and event_data->>'order_id' = '$order_id'")"

# ---- its life in the log ----
expected="order.requested order.validated order.created exchange.routed order.submitted order.accepted order.executed position.updated order.completed"
check_equal "event_store has the whole chain, in order" "$expected" "$(sql "
    select string_agg(event_type, ' ' order by first) from (
        select event_type, min(seq) as first from event_store where correlation_id = '$correlation_id' group by event_type) x")"
check_equal "every event of it is caused by the one before" 0 "$(sql "
    select count(*) from (select causation_id, lag(event_id) over (order by seq) as before from event_store where correlation_id = '$correlation_id') x
    where before is not null and causation_id <> before")"
check_equal "seq has no gap" t "$(sql "select count(*) = max(seq) and min(seq) = 1 from events")"
check_equal "decimals are text in event_data" 0.1 \
    "$(sql "select event_data->'order_request'->>'quantity' from event_store where correlation_id = '$correlation_id' and event_type = 'order.requested'")"
for id in "$order_id" "$correlation_id"; do
    saga=$(fleet saga "$id")
    for type in $expected; do [[ $saga == *"$type"* ]] || not_passed "saga $id shows $type" "$saga"; done
done
passed "saga shows the chain by order id and by correlation id"
check_equal "saga --json has the same chain" "$order_id" "$(fleet saga "$order_id" --json | field events.0.data.order_id)"

# ---- tail ----
check_equal "tail since 1 begins with event 1" 1 "$(fleet tail --since 1 --count 1 --json | field seq)"
check_equal "tail | head -1 ends by itself" 1 "$(timeout 20 "$checkout/run/fleet" --home "$home" tail --since 1 --json | head -1 | wc -l)"
check_equal "a line of tail --json has the promised members" "" "$(fleet tail --since 1 --count 1 --json | lacks seq event_id event_type \
    timestamp correlation_id causation_id aggregate_id aggregate_version version metadata shard data)"
events=$(sql "select count(*) from events where correlation_id = '$correlation_id'")
check_equal "tail --correlation shows that saga" "$events" \
    "$(timeout 20 "$checkout/run/fleet" --home "$home" tail --since 1 --correlation "$correlation_id" --count "$events" --json | wc -l)"

# ---- positions, quotes, balances ----
check "positions shows what was bought" grep -q 'BTC/USDT' <<<"$(fleet positions)"
check "quote shows both venues" grep -q beta <<<"$(fleet quote BTC/USDT --json)"
check "balances shows the account" grep -q USDT <<<"$(fleet balances --json)"

# ---- a resting order ----
bid=$(fleet quote BTC/USDT --json | grep -oE '"bid": ?"[0-9.]+"' | head -1 | grep -oE '[0-9]+' | head -1)
answer=$(fleet order --symbol BTC/USDT --side buy --quantity 0.01 --type limit --price "$((bid - bid / 50)).00" --json)
check_equal "a limit order that rests is answered when accepted" true "$(field success <<<"$answer")"
resting=$(field order_id <<<"$answer")
check "orders --open lists it" grep -q "${resting:0:8}" <<<"$(fleet orders --open --json)"
check "cancel takes it off the book" fleet cancel "$resting"
check_refused "a second cancel is refused" "ORDER_ENDED" fleet cancel "$resting"
check_equal "no order is open any more" 0 "$(fleet orders --open --json | grep -c "$resting")"

# ---- halt ----
check "halt" fleet halt --reason test
check_refused "an order while halted is refused" "HALTED" buy
check "resume" fleet resume
check_equal "orders are taken again" true "$(buy BTC/USDT | field success)"

# ---- verify, down, up ----
check "verify passes" fleet verify
check_equal "verify --json says so" true "$(fleet verify --json | field ok)"
before=$(fleet positions --json)
seq=$(sql "select max(seq) from events")
check "down" fleet down
check_equal "no sanitizer has complained" "" "$(grep -lE 'AddressSanitizer|LeakSanitizer|runtime error:' "$home"/log/*/current)"
check_refused "a command needs a running fleet" "not running|stopped" fleet positions
check_equal "nothing is left in the runtime folder" "" "$(ls -d "/tmp/zvt-$(printf '%s' "$home" | sha256sum | cut -c 1-12)"* 2>/dev/null)"
check_refused "another seed is refused" "seed" fleet up --seed 12
start_fleet --no-strategies
check_equal "positions are kept" "$(held <<<"$before")" "$(fleet positions --json | held)"
check_that "the log goes on" "$(sql "select max(seq) from events") > $seq"
check "verify passes again" fleet verify
