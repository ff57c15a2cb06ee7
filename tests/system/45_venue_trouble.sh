#!/usr/bin/env bash
# A venue that stands still or has limits, and orders that must be taken back while nobody can write the log.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# venue NAME KEY: what status says of a venue.
venue() {
    fleet status --json | python -c '
import json, sys
print(*[v[sys.argv[2]] for v in json.load(sys.stdin)["venues"] if v["name"] == sys.argv[1]])' "$1" "$2"
}
circuit_is() { [[ $(venue "$1" circuit) == "$2" ]]; }

# rest VENUE [PRICE]: an order that rests there; prints its id.
rest() { fleet order --symbol BTC/USDT --side buy --quantity 0.01 --price "${2:-58000}" --venue "$1" --json | field order_id; }
open_at_venues() {
    local program=$ZVT_BIN/zvt-venue
    for name in alpha beta; do
        (eval "$(fleet env)" && "$program" --name "venue-$name" --venue "$name" --dump-ledger)
    done | python -c '
import json, sys
live = set()
for line in sys.stdin:
    row = json.loads(line)
    if row.get("kind") == "accepted": live.add(row["client_order_id"])
    if row.get("kind") in ("canceled", "expired") or (row.get("kind") == "fill" and float(row["leaves_qty"]) == 0):
        live.discard(row["client_order_id"])
print(len(live))'
}
events() { sql "select count(*) from event_store where event_type = '$1' ${2:-}"; }
# What became of a venue's circuit since the last order that went there.
circuits_of() {
    sql "select string_agg(event_data ->> 'state', ' ' order by seq) from event_store where event_type = 'circuit.changed'
        and event_data ->> 'exchange' = '$1' and seq > $calm_seq"
}
# A connection may come and go more often than that on a machine that is busy: how it ends is certain.
circuits_end() { [[ " $(circuits_of "$1")" == *" $2" ]]; }
fills_at() { [[ $(fleet order --symbol BTC/USDT --side buy --quantity 0.01 --venue "$1" --json | field success) == true ]]; }
postgres_pids() {
    local pid
    pid=$(pid_of postgres)
    echo "$pid" && pgrep -P "$pid"
}
milliseconds_of() {
    local started
    started=$(date +%s%N)
    "$@" >"$base/said" 2>&1
    code=$?
    took=$((($(date +%s%N) - started) / 1000000))
}
journal_is_noted() { [[ $(executor_stat journal_entries) == 0 ]]; }
is_killed() { [[ $(executor_stat killed) == true ]]; }
executor_stat() { (eval "$(fleet env)" && "$ZVT_BIN/zvt-monitor" stats executor) | field "$1"; }

buy_fills() { [[ $(buy BTC/USDT | field success) == true ]]; }
all_is_canceled() { [[ $(open_at_venues) == 0 ]]; }

# ---- a circuit breaker opens, is tried, and closes ----
start_fleet --seed 11 --no-strategies
# While both ends of a connection start it may come and go; the first order of a venue closes its circuit then.
for name in alpha beta; do check "an order fills at $name" wait_until 20 fills_at "$name"; done
check_equal "circuits are closed to begin with" "closed closed" "$(venue alpha circuit) $(venue beta circuit)"
calm_seq=$(sql "select max(seq) from events")
pid=$(pid_of venue-alpha)
kill -STOP "$pid"
stopped=$(date +%s%N)
check "the circuit of a venue that stands still opens" wait_until 20 circuit_is alpha open
opened=$((($(date +%s%N) - stopped) / 1000000))
echo "           opened after $opened ms"
check_equal "status says why" VENUE_UNREACHABLE "$(venue alpha circuit_reason)"
for _ in 1 2 3; do check_equal "orders go to the other venue meanwhile" beta "$(buy BTC/USDT | field exchange)"; done
check_refused "an order that names it is refused with the reason" CIRCUIT_OPEN fleet order --symbol BTC/USDT --side buy --quantity 0.01 --venue alpha
kill -CONT "$pid"
check "it is tried when the venue is back" wait_until 20 circuit_is alpha half_open
check "an order that names it is the trial" fills_at alpha
check "and closes it" wait_until 20 circuit_is alpha closed
check "the log tells the story" wait_until 20 circuits_end alpha "open half_open closed"
pid=$(pid_of gateway-beta)
kill -9 "$pid"
# A gateway is back so soon that its silence may go unnoticed: it counts as a lost connection all the same.
check "the circuit of a venue whose gateway dies is tried again by itself" wait_until 20 circuits_end beta "open half_open"
check "and an order closes it" fills_at beta
check "which the log tells too" wait_until 20 circuits_end beta "open half_open closed"
check "verify passes" fleet verify

# ---- the kill switch, everything well ----
for name in alpha alpha beta; do rest "$name" >/dev/null; done
check_equal "three orders rest" 3 "$(open_at_venues)"
milliseconds_of fleet kill --reason "a drill"
check_that "kill does it within two seconds ($took ms)" "code == 0 && took < 2000 * slow"
check "it says what it did" grep -q '3 orders open, 3 canceled, none left' "$base/said"
check_equal "nothing is open at the venues" 0 "$(open_at_venues)"
check_equal "the fleet is halted" halted "$(fleet status --json | field fleet.state)"
check_refused "no order passes" HALTED fleet order --symbol BTC/USDT --side buy --quantity 0.01
check "the log accounts for it" wait_until 20 journal_is_noted
check_equal "with who and why" 1 "$(events risk.halted "and event_data ->> 'reason' = 'a drill'")"
check_equal "and a cancel for each order" 3 "$(events order.cancel_requested)"
kill -9 "$(pid_of executor)"
check "the latch outlives the executor" wait_until 20 is_killed
check "resume lifts it" fleet resume
check "orders fill again" wait_until 20 buy_fills

# ---- the kill switch with a frozen database ----
alpha_id=$(rest alpha)
for name in beta beta; do rest "$name" >/dev/null; done
mapfile -t frozen < <(postgres_pids)
kill -STOP "${frozen[@]}"
milliseconds_of fleet cancel "$alpha_id"
check_that "a cancel is done by the executor when the database stands still ($took ms)" "code == 0 && took < 5000 * slow"
check "and says so" grep -q 'by the executor' "$base/said"
milliseconds_of fleet halt --reason "the database is frozen"
check_that "halt answers when the database stands still ($took ms)" "code == 0 && took < 1500 * slow"
check "and says that the record follows" grep -q 'recorded when the event log is back' "$base/said"
milliseconds_of fleet kill --reason "the database is frozen"
check_that "kill works when the database stands still ($took ms)" "code == 0 && took < 3000 * slow"
check_equal "nothing is open at the venues" 0 "$(open_at_venues)"
kill -CONT "${frozen[@]}"
check "the log accounts for all of it afterwards" wait_until 20 journal_is_noted
check_equal "the halt is in the log" 1 "$(events risk.halted "and event_data ->> 'reason' = 'the database is frozen'")"
check_equal "a cancel for each order is" 6 "$(events order.cancel_requested)"
check "resume lifts it" fleet resume
check "orders fill again" wait_until 20 buy_fills

# ---- the kill switch without a database, then without the orchestrator ----
beta_id=$(rest beta)
rest alpha >/dev/null
s6-svc -wD -T 15000 -d "$home/s6/services/postgres"
orchestrator_is_without_log() { fleet cancel "$beta_id" | grep -q 'by the executor'; }
check "a cancel is done by the executor when the database is gone" wait_until 20 orchestrator_is_without_log
check_equal "one order is left" 1 "$(open_at_venues)"
s6-svc -wD -T 15000 -d "$home/s6/services/orchestrator"
fleet kill --reason "nobody is there" >"$base/said" 2>&1
check "kill works with database and orchestrator dead" grep -q 'latched: 1 orders open, 1 canceled, none left' "$base/said"
check "and says who did not answer" grep -q 'orchestrator.*executor tells it when it is back' "$base/said"
check_equal "nothing is open at the venues" 0 "$(open_at_venues)"
s6-svc -u "$home/s6/services/postgres"
s6-svc -u "$home/s6/services/orchestrator"
check "when both are back, the log accounts for it" wait_until 30 journal_is_noted
check_equal "the kill is in the log, once" 1 "$(events risk.halted "and event_data ->> 'reason' = 'nobody is there'")"
check "resume lifts it" wait_until 20 fleet resume
check "orders fill again" wait_until 20 buy_fills

# ---- a cancel that the venue does not answer ----
resting=$(rest alpha)
venue=$(pid_of venue-alpha)
kill -STOP "$venue"
milliseconds_of fleet cancel "$resting" --timeout 4
check_that "a cancel that the venue does not answer ends when its time is over ($took ms)" "code == 1 && took >= 3000 && took < 7000 * slow"
check "and says that it is recorded and goes on" \
    grep -q "not canceled yet order $resting, .*: SERVICE_TIMEOUT the cancel is recorded and goes on; the venue has not confirmed it after" "$base/said"
kill -CONT "$venue"
check "which it does when the venue is back" wait_until 20 all_is_canceled
check "verify passes" fleet verify
check "down" fleet down --wipe --yes

# ---- limits per second, which the venue enforces ----
cp "$checkout/run/fleet.zpl" "$base/limited.zpl"
sed -i 's/orders_per_second = 0 /orders_per_second = 20 /; s/cancels_per_second = 0 /cancels_per_second = 20 /; s/enforce_limits = no /enforce_limits = yes /' "$base/limited.zpl"
start_fleet --seed 12 --no-strategies --config "$base/limited.zpl"
burst() {
    (eval "$(fleet env)" && python - "$@") <<'END'
import collections, msgpack, os, sys, zmq
count, venue, seen = int(sys.argv[1]), sys.argv[2], collections.Counter()
socket = zmq.Context().socket(zmq.DEALER)
socket.setsockopt(zmq.RCVTIMEO, 20000)
socket.connect(os.environ["ZVT_ENDPOINT_REQUEST"])
order = ["BTC/USDT", 1, 2, 1, False, 1000000, 5800000000000, 0, venue, 0]
socket.send(b"".join(msgpack.packb([140, f"burst-{venue}-{i}", "tester", f"burst-{i % 4}", "main", order, 2, 15000]) for i in range(count)))
while sum(seen.values()) < count:
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(socket.recv())
    for record in unpacker:
        if record[0] == 141: seen["accepted" if record[2] else str(record[6])] += 1
print(*(f"{key}={seen[key]}" for key in sorted(seen)))
END
}
outcome=$(burst 60 alpha)
echo "           60 orders at once for a venue that takes 20 a second: $outcome (74 is VENUE_THROTTLED)"
accepted=$(grep -o 'accepted=[0-9]*' <<<"$outcome" | cut -d = -f 2)
check_that "as many are accepted as its limit allows in time" "${accepted:-0} >= 16 && ${accepted:-0} < 60"
check "the rest is refused with VENUE_THROTTLED, and nothing else" grep -qxE 'accepted=[0-9]+|74=[0-9]+ accepted=[0-9]+' <<<"$(tr -s ' ' <<<"$outcome")"
rejected_by_venue() { (eval "$(fleet env)" && "$ZVT_BIN/zvt-monitor" stats venue-alpha) | field counters.orders_rejected; }
check_equal "the venue has not had to refuse one" 0 "$(rejected_by_venue)"
check_that "orders have waited for the limit" "$(executor_stat counters.orders_paced) > 0"
outcome=$(burst 60 "")
check_equal "orders that may go anywhere go around it" "accepted=60" "$outcome"
check_equal "still the venue has not had to refuse one" 0 "$(rejected_by_venue)"
milliseconds_of fleet kill --reason "cancels have a limit too"
check "the kill switch goes on until nothing is left" wait_until 20 all_is_canceled
check_that "its cancels have waited for the limit" "$(executor_stat counters.cancels_paced) > 0"
over_limit() { (eval "$(fleet env)" && "$ZVT_BIN/zvt-monitor" stats "$1") | field counters.cancels_over_limit; }
check_equal "the venues have not had to refuse one" "0 0" "$(over_limit venue-alpha) $(over_limit venue-beta)"
check "verify passes" fleet verify

# Past the executor: the venue does enforce it.
direct() {
    (eval "$(fleet env)" && python -) <<'END'
import collections, msgpack, os, time, zmq
seen = collections.Counter()
socket = zmq.Context().socket(zmq.DEALER)
socket.setsockopt(zmq.RCVTIMEO, 5000)
socket.connect(f"ipc://{os.environ['ZVT_RUNTIME']}/venue.alpha")
expires = time.time_ns() + 60 * 10**9
socket.send(b"".join(msgpack.packb([172, f"direct-{i}", "alpha", "BTC/USDT", 1, 2, 1, False, 1000000, 5000000000000, 1, expires]) for i in range(40)))
while sum(seen.values()) < 40:
    unpacker = msgpack.Unpacker(strict_map_key=False)
    unpacker.feed(socket.recv())
    for record in unpacker:
        if record[0] == 177: seen[record[17]] += 1
print(seen[1], seen[59])
END
}
check_equal "the venue itself takes 20 in a second and refuses the rest with VENUE_LIMIT" "20 20" "$(direct)"
