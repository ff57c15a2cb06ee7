#!/usr/bin/env bash
# Homes that were copied or moved, and a fleet whose sockets' folder is taken away: no command touches what is not its own,
# and nothing is lost.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

copy=$base/copy
pids() { process_rows '(p["name"], p["pid"])'; }
log_of() { sql "select count(*), max(seq), (select log_id from log_identity) from events where seq <= $1"; }
home_key() { printf '%s' "$1" | sha256sum | cut -c 1-12; }

start_fleet --no-strategies --seed 5
check_equal "an order fills" true "$(buy BTC/USDT | field success)"

# ---- a copy of a home whose fleet runs ----
before=$(pids)
cp -a "$home" "$copy" 2>"$base/cp.log" # files of a live database may vanish meanwhile
check "the copy has the token and the pid of the original" cmp "$home/s6/token" "$copy/s6/token"
check_refused "up of the copy is refused, with the original's name" "copy of the home $home, .*What to do" fleet_at "$copy" up --no-strategies
check_refused "an order is refused there too" "copy of the home" fleet_at "$copy" order --symbol BTC/USDT --side buy --quantity 0.01
check_refused "so are restart" "copy of the home" fleet_at "$copy" restart risk
check_refused "attach" "copy of the home" fleet_at "$copy" attach momentum
check_refused "psql" "copy of the home" fleet_at "$copy" psql -c 'select 1'
check_refused "and the kill switch" "copy of the home" fleet_at "$copy" kill
check_refused "status of the copy says that no fleet runs there" "No fleet runs in $copy" fleet_at "$copy" status
check_equal "and shows no processes" 0 "$(fleet_at "$copy" status --json | python -c 'import json, sys; print(len(json.load(sys.stdin)["processes"]))')"
check "down of the copy says so too" grep -q "No fleet runs in $copy" <<<"$(fleet_at "$copy" down 2>/dev/null)"
check_equal "no process of the original was stopped" "$before" "$(pids)"
check "down --wipe of the copy" fleet_at "$copy" down --wipe --yes
check "deletes the copy" test ! -e "$copy"
check_equal "and stops no process of the original either" "$before" "$(pids)"
check "whose database is still there" test -f "$(sed -n 's/^database_data=//p' "$home/database.env")/PG_VERSION"
check_equal "and orders fill" true "$(buy BTC/USDT | field success)"
check "verify passes" fleet verify

# ---- a copy of a stopped home ----
seq=$(sql "select max(seq) from events")
log=$(log_of "$seq")
fleet down >/dev/null 2>&1
cp -a "$home" "$copy"
check_refused "up of a stopped home's copy is refused" "copy of the home $home, .*What to do" fleet_at "$copy" up --no-strategies
check_equal "and starts nothing" "" "$(pids_like "$copy" .; pids_like "$home" .)"
check_equal "no socket folder of it is left" "" "$(ls -d "/tmp/zvt-$(home_key "$copy")"* 2>/dev/null)"
start_fleet --no-strategies
before=$(pids)
check "the copy is wiped while the original runs" fleet_at "$copy" down --wipe --yes
check "it is gone" test ! -e "$copy"
check_equal "the original's processes are not" "$before" "$(pids)"
check_equal "nor its log" "$log" "$(log_of "$seq")"
check_equal "and its orders fill" true "$(buy BTC/USDT | field success)"
check "verify passes" fleet verify
seq=$(sql "select max(seq) from events")
log=$(log_of "$seq")

# ---- a wipe deletes nothing outside of the home, whatever the home says ----
mkdir -p "$base/odd" "$base/precious/postgres"
echo mine >"$base/precious/postgres/file"
cp "$home/database.env" "$base/odd/"
sed -i "s#^database_data=.*#database_data=$base/precious/postgres#" "$base/odd/database.env"
printf 'a home\nhome=%s\n' "$base/odd" >"$base/odd/.zvt-fleet"
check_refused "up of a home with a database somewhere else is refused" "not this home's" fleet_at "$base/odd" up --no-strategies
check "down --wipe of it" fleet_at "$base/odd" down --wipe --yes
check_equal "leaves that database alone" mine "$(cat "$base/precious/postgres/file")"

# ---- a home that was moved while its fleet runs, and one that was moved after ----
mv "$home" "$base/moved"
original=$home
home=$base/moved
check_refused "up of a home that was moved while it runs is refused" "moved here from $original while its fleet ran" fleet up --no-strategies
check "down stops that fleet" fleet down
check_equal "all of it" "" "$(pids_like "$original" .; pids_like "$home" .)"
check_equal "and its sockets are gone" "" "$(ls -d "/tmp/zvt-$(home_key "$original")"* 2>/dev/null)"
output=$(fleet up --no-strategies 2>&1) || give_up "up adopts the moved home" "$output"
passed "up adopts the moved home"
check "and says so in a line" grep -qx "This home was moved here from $original; it goes on here with its log." <<<"$output"
check_equal "the log is the same" "$log" "$(log_of "$seq")"
check_equal "orders fill" true "$(buy BTC/USDT | field success)"
check "verify passes" fleet verify
check "down" fleet down
output=$(fleet up --no-strategies 2>&1)
check_equal "the next up has nothing to adopt" 0 "$(grep -c 'moved here' <<<"$output")"

# ---- a home made before homes noted where ----
check "down" fleet down
sed -i 2d "$home/.zvt-fleet"
cp -a "$home" "$copy"
check_refused "the copy of an old home is known by its database" "copy of the home $home" fleet_at "$copy" up --no-strategies
check "and wiped" fleet_at "$copy" down --wipe --yes
start_fleet --no-strategies
check_equal "the old home itself goes on" "$log" "$(log_of "$seq")"
check_equal "and notes where it is" "home=$home" "$(sed -n 2p "$home/.zvt-fleet")"

# ---- a folder of sockets that something has removed ----
rm -rf "/tmp/zvt-$(home_key "$home")"
lost="running, but the folder of its sockets, /tmp/zvt-$(home_key "$home"), was removed.*down, then"
check_refused "status says what happened" "$lost" fleet status
check_refused "with --json it does not claim that all is well" '"state": "(starting|degraded)"' fleet status --json
check_refused "an order says the same" "$lost" fleet order --symbol BTC/USDT --side buy --quantity 0.01
check_refused "so do up" "$lost" fleet up --no-strategies
check_refused "and restart" "$lost" fleet restart risk
check "down stops it" fleet down
check_equal "all of it" "" "$(pids_like "$home" .)"
start_fleet --no-strategies
check_equal "and the log is the same" "$log" "$(log_of "$seq")"
check_equal "orders fill" true "$(buy BTC/USDT | field success)"
check "verify passes" fleet verify

# ---- what up and restart say of a fleet that does not do all it should ----
fleet halt --reason test >/dev/null
check "restart of a halted fleet says that it is halted" grep -qx "Restarted risk; the fleet is halted." <<<"$(fleet restart risk 2>/dev/null)"
check "so does up" grep -q "running already and halted" <<<"$(fleet up --no-strategies 2>/dev/null)"
fleet resume >/dev/null
ledger=$home/state/venue-beta.ledger
s6-svc -wD -T 15000 -d "$home/s6/services/venue-beta"
mkdir "$base/kept" && mv "$home"/state/venue-beta.* "$base/kept/"
cp "$home/state/venue-alpha.ledger" "$ledger"
s6-svc -u "$home/s6/services/venue-beta"
is_failed() { [[ $(fleet status) == *"venue-beta is down: "* ]]; }
check "a venue that finds the ledger of another stays down" wait_until 20 is_failed
check_refused "up names it" "venue-beta is down: .*not all of it works: venue-beta" fleet up --no-strategies
mv -f "$base"/kept/venue-beta.* "$home/state/"
dir=$(readlink -f "$home/s6/services/venue-beta")
supervisor=$(for pid in $(pgrep -x s6-supervise); do [[ $(readlink "/proc/$pid/cwd") == "$dir" ]] && echo "$pid"; done)
kill -STOP "$supervisor" # as on a busy machine: until it goes on, the process is still the failed one
(sleep 0.7 && kill -CONT "$supervisor") &
check "restart brings it back, also when its supervisor takes its time" fleet restart venue-beta
check "and up is content" fleet up --no-strategies
check "verify passes" fleet verify

# ---- a database outside of the home, because the user postgres cannot reach it there ----
((EUID == 0)) || exit 0
check "down" fleet down
mkdir -m 700 "$base/closed"
original=$base/closed/original
home=$original
outside() { printf '/var/lib/zvt/%s' "$(home_key "$1")"; }
fleets_stop() { # those of this part lie a folder deeper than where stop_fleets looks
    for home in "$original" "$base/closed/moved"; do fleet down --wipe --yes; done >/dev/null 2>&1
    stop_fleets
}
trap fleets_stop EXIT
start_fleet --no-strategies
check "its database is in /var/lib/zvt" test -f "$(outside "$original")/PG_VERSION"
check_equal "an order fills" true "$(buy BTC/USDT | field success)"
seq=$(sql "select max(seq) from events")
log=$(log_of "$seq")
fleet down >/dev/null 2>&1
cp -a "$home" "$base/closed/copy"
check_refused "up of a copy is refused" "copy of the home $original" fleet_at "$base/closed/copy" up --no-strategies
check "down --wipe of the copy" fleet_at "$base/closed/copy" down --wipe --yes
check "leaves the original's database alone" test -f "$(outside "$original")/PG_VERSION"
cp -a "$home" "$base/closed/copy" && mv "$home" "$base/closed/moved"
check "down --wipe of a copy whose original was moved away" fleet_at "$base/closed/copy" down --wipe --yes
check "leaves that database alone too" test -f "$(outside "$original")/PG_VERSION"
home=$base/closed/moved
start_fleet --no-strategies
check_equal "the moved home has the same log" "$log" "$(log_of "$seq")"
check "whose folder has its name from the new path" test -f "$(outside "$home")/PG_VERSION" -a ! -e "$(outside "$original")"
check "verify passes" fleet verify
check "down --wipe" fleet down --wipe --yes
check_equal "deletes the home and the folder outside" "" "$(ls -d "$home" "$(outside "$home")" 2>/dev/null)"
