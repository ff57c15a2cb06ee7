#!/usr/bin/env bash
# What a person has to decide: a trade at the venue that is not ours, a balance that nobody explains, an order whose
# outcome stays unknown, a ledger that was lost.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

start_fleet --seed 11 --no-strategies

# A trade on the same account that the fleet knows nothing of: an order straight to the venue's own socket.
trade_behind_our_back() {
    eval "$(fleet env)"
    python - "$1" "$2" <<'PYTHON'
import os, sys
import msgpack, zmq
ORDER_SEND, REPORT, FILL = 172, 177, 3
venue, name = sys.argv[1:]
socket = zmq.Context().socket(zmq.DEALER)
socket.setsockopt(zmq.LINGER, 0)
socket.setsockopt(zmq.RCVTIMEO, 10000)
socket.connect(f"ipc://{os.environ['ZVT_RUNTIME']}/venue.{venue}")
socket.send(msgpack.packb([ORDER_SEND, name, venue, "BTCUSDT", 1, 1, 2, False, 10_000_000, 0, 0, 0]))
while True:
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(socket.recv_multipart()[-1])
    for record in unpacker:
        if record[0] == REPORT and record[3] == FILL:
            sys.exit(0)
PYTHON
}
letters() { fleet dead-letters --json | python -c 'import json, sys; print(len(json.load(sys.stdin)))'; }
has_letters() { (($(letters) >= 2)); }
letter() { fleet dead-letters --json | field 0.letter_id; }
events_of() { sql "select count(*) from event_store where event_type = '$1'"; }

# ---- a stranger's trade ----
check "the account agrees with the log to begin with" fleet reconcile alpha
check_equal "with a balance for every asset" 8 "$(events_of account.opened)"
check "somebody trades on the account behind our back" trade_behind_our_back alpha stranger-1
check "its reports become dead letters" wait_until 10 has_letters
check_equal "with the reason" UNKNOWN_ORDER "$(fleet dead-letters --json | field 0.letter.failure_reason)"
account_is_halted() { [[ $(sql "select event_data ->> 'exchange' from event_store where event_type = 'risk.halted'") == alpha ]]; }
check "the account is compared and halted by itself" wait_until 10 account_is_halted
check_refused "reconciliation finds what the log cannot explain" "UNEXPLAINED the venue says .* the log makes it" fleet reconcile alpha
check_equal "an alert says so" UNEXPLAINED "$(sql "select event_data ->> 'code' from event_store where event_type = 'alert.triggered'")"
check "and that account alone is halted, once" account_is_halted
check_refused "an order for that venue is refused" "ACCOUNT_HALTED" fleet order --symbol BTC/USDT --side buy --quantity 0.01 --venue alpha
account() { fleet status --json | python -c 'import json, sys; print(*(v["account"] for v in json.load(sys.stdin)["venues"]))'; }
check_equal "status tells whose account is halted" "ACCOUNT_HALTED ok" "$(account)"
check "and why" grep -q 'The account at alpha is halted: .*the log makes it' <<<"$(fleet status)"
check "it counts the dead letters" grep -q "dead letters $(letters)" <<<"$(fleet status)"
check_equal "other orders go elsewhere" beta "$(buy BTC/USDT 0.01 | field exchange)"

check_refused "accepting needs a reason" "reason" fleet reconcile alpha --accept
check_refused "adjusting too" "reason" fleet adjust --strategy desk --symbol BTC/USDT --quantity 0.1 --price 60000
check "the trade is booked on a strategy by hand" fleet adjust --strategy desk --symbol BTC/USDT --quantity 0.1 --price 60000 \
    --venue alpha --reason "traded in the venue's own window"
check_equal "which has the position now" 0.1 "$(fleet positions --strategy desk --json | field 0.quantity)"
adjust_once() { fleet adjust --strategy phone --symbol BTC/USDT --quantity 2 --price 60000 --reason "by phone" --request-id call-4711 "$@"; }
check "another one is given an id" adjust_once
check "a copy of it is answered with what was done" grep -q 'done before' <<<"$(adjust_once)"
check_equal "with the number of its event" "$(sql "select seq from event_store where event_data ->> 'request_id' = 'call-4711'")" "$(adjust_once --json | field seq)"
check_equal "and done once" 2 "$(fleet positions --strategy phone --json | field 0.quantity)"
check_refused "the id is no other adjustment's" "DUPLICATE" fleet adjust --strategy phone --symbol BTC/USDT --quantity 3 --price 60000 \
    --reason "by phone" --request-id call-4711
check_refused "price and fee of it are still unexplained" "UNEXPLAINED" fleet reconcile alpha
check "the rest is accepted" fleet reconcile alpha --accept --reason "price and fee of that trade"
check "and the account agrees again" fleet reconcile alpha
check_equal "which status tells" "ok ok" "$(account)"
check_equal "it takes orders again" alpha "$(fleet order --symbol BTC/USDT --side buy --quantity 0.01 --venue alpha --json | field exchange)"

# ---- dead letters ----
id=$(letter)
check "a dead letter is shown" grep -q '"venue_seq"' <(fleet dead-letters show "$id")
retried() { [[ $(letter) != "$id" && $(fleet dead-letters --json | field 0.retrying) == false ]] || (($(letters) > 0)) && [[ $(letter) != "$id" ]]; }
check "it is retried by the end of its id" fleet dead-letters retry "${id: -8}"
check "and put aside again, because nothing has changed" wait_until 10 retried
while (($(letters) > 0)); do fleet dead-letters drop "$(letter)" --reason "booked by hand" >/dev/null || break; done
check_equal "dropped letters are gone" 0 "$(letters)"
check_that "and recorded" "$(events_of dead_letter.dropped) >= 2 && $(events_of dead_letter.retried) == 1"
check_refused "an unknown letter is refused" "no dead letter" fleet dead-letters drop 12345678

# ---- an order whose outcome is unknown ----
venue=$(pid_of venue-alpha)
kill -STOP "$venue"
fleet order --symbol BTC/USDT --side buy --quantity 0.02 --venue alpha --wait committed --request-id r-unknown >/dev/null
unknown_orders() { fleet orders --unknown --json | python -c 'import json, sys; print(*[o["order_id"] for o in json.load(sys.stdin)])'; }
is_unknown() { [[ -n $(unknown_orders) ]]; }
check "an order without an answer becomes unknown" wait_until 15 is_unknown
check_equal "status counts it" 1 "$(fleet status --json | field fleet.unknown_orders)"
order=$(unknown_orders)
check_refused "resolving needs a reason" "reason" fleet resolve "$order"
check "it is resolved by hand" fleet resolve "${order: -8}" --reason "the venue's desk says it never arrived" --request-id call-4712
check "and once, however often" fleet resolve "$order" --reason "the venue's desk says it never arrived" --request-id call-4712
check_equal "as the log shows" 1 "$(events_of order.resolved)"
check_equal "and counts as canceled" "canceled RESOLVED_BY_HAND" \
    "$(fleet orders --limit 1 --json | python -c 'import json, sys; o = json.load(sys.stdin)[0]; print(o["state"], o["code"])')"
check_equal "nothing is unknown any more" "" "$(unknown_orders)"
check_refused "an id that is none is a mistake of the caller" "is not an id" fleet resolve 1 --reason "a typing error"
check_refused "twice is refused" "ORDER_ENDED" fleet resolve "$order" --reason again
check_equal "the log says by whom" "$(id -un)" "$(sql "select event_data ->> 'requested_by' from event_store where event_type = 'order.resolved'")"
kill -CONT "$venue"
late_fill() { [[ $(sql "select count(*) from event_store where event_type = 'order.executed' and event_data ->> 'order_id' = '$order'") == 1 ]]; }
check "it had arrived after all: its fill counts" wait_until 20 late_fill
settled() { fleet reconcile alpha; }
check "and the account agrees" wait_until 20 settled
check "verify passes" fleet verify

# ---- a venue whose ledger was lost, or replaced by an older copy of itself ----
ledger=$home/state/venue-alpha.ledger
alpha() { s6-svc "$@" "$home/s6/services/venue-alpha"; }
stop_alpha() { alpha -wD -T 15000 -d; }
others() { process_rows 'p["name"] != "venue-alpha" and (p["name"], p["pid"])'; }
buy_at_alpha() { [[ $(fleet order --symbol BTC/USDT --side buy --quantity 0.01 --venue alpha --json | field success) == true ]]; }
account_of_alpha_is() { [[ $(account) == "$1 ok" ]]; }
says_end() {
    grep -qE "UNEXPLAINED the venue's ledger was lost or replaced: it ends with report $1, the log has [0-9]+; that cannot be accepted" \
        <<<"$(fleet reconcile alpha 2>&1)"
}
verify_line() { grep -F "$1" <<<"$(fleet verify)" | cut -d ' ' -f 1; }
# A comparison may be under way that the connection brought about.
accept_is_answered() {
    fleet reconcile alpha --accept --reason "it is gone" >"$base/said" 2>&1
    code=$?
    ! grep -q "a comparison is under way" "$base/said"
}
refuses_to_accept() {
    wait_until 20 accept_is_answered
    check_equal "it is not accepted" 1 "$code"
    check "and the answer says what to do" grep -q "cannot be accepted: restore its ledger" "$base/said"
    check_equal "the account stays halted" "ACCOUNT_HALTED ok" "$(account)"
    check_refused "and its venue gets no orders" "ACCOUNT_HALTED" fleet order --symbol BTC/USDT --side buy --quantity 0.01 --venue alpha
}
running=$(others)
stop_alpha
cp -p "$ledger" "$base/older.ledger"
alpha -u
check "the venue trades again after a restart" wait_until 20 buy_at_alpha
check "the log goes on beyond the copy of the ledger" wait_until 20 buy_at_alpha
adjusted=$(events_of position.adjusted)

stop_alpha
mv "$ledger" "$base/kept.ledger"
alpha -u
check "a venue that has lost its ledger has its account halted" wait_until 20 account_of_alpha_is ACCOUNT_HALTED
check "which says how far ledger and log go" wait_until 20 says_end 0
check_equal "with an alert" 1 "$(sql "select count(*) from event_store where event_type = 'alert.triggered' and event_data ->> 'message' like '%ledger was lost%'")"
refuses_to_accept
for name in stranger-2 stranger-3; do trade_behind_our_back alpha "$name"; done
check_equal "fills of the new ledger are not taken for those of the log that have their ids" FAILED "$(verify_line "every fill of the ledgers is in the log")"

stop_alpha
cp -p "$base/older.ledger" "$ledger"
alpha -u
check "an older copy of the ledger is found out too" wait_until 20 says_end "[1-9][0-9]*"
refuses_to_accept

stop_alpha
mv "$base/kept.ledger" "$ledger"
alpha -u
check "the account is open by itself when the ledger is restored" wait_until 20 account_of_alpha_is ok
check "and its venue trades" wait_until 20 buy_at_alpha
check_equal "nothing was adjusted" "$adjusted" "$(events_of position.adjusted)"
check_equal "nothing but the venue was started again" "$running" "$(others)"
check "verify passes" fleet verify
