#!/usr/bin/env bash
# The log as SQL users see it, a database that was there before, and the generated page of the wire.
# shellcheck source=tests/system/lib.sh
source "$(dirname -- "${BASH_SOURCE[0]}")/lib.sh"

# ---- a Postgres of our own making, as somebody else's server ----
pg_bin=$(find /usr/lib/postgresql -mindepth 2 -maxdepth 2 -name bin | sort -V | tail -n 1)
server=$base/server
as_postgres=(setpriv --pdeathsig INT) # the server ends with this script
if ((EUID == 0)); then as_postgres+=(--reuid postgres --regid postgres --init-groups); fi
mkdir -p "$server"
chmod 755 "$base"
if ((EUID == 0)); then chown postgres "$server"; fi
echo "pass:word" >"$server/password"
(cd / && exec "${as_postgres[@]}" "$pg_bin/initdb" -D "$server/data" -U boss --auth scram-sha-256 --pwfile "$server/password") >"$base/initdb.log" 2>&1 ||
    give_up "a server for the test is made" "$(tail -n 3 "$base/initdb.log")"
# start_server PORT OPTION..
start_server() {
    (cd / && exec "${as_postgres[@]}" "$pg_bin/postgres" -D "$server/data" -p "$1" -c unix_socket_directories="$server" "${@:2}" >>"$base/server.log" 2>&1) &
    server_pid=$!
    wait_until 20 "$pg_bin/pg_isready" -q -h "$server" -p "$1" || give_up "the server answers" "$(tail -n 3 "$base/server.log")"
}
stop_server() {
    kill -INT "$server_pid" 2>/dev/null
    wait "$server_pid" 2>/dev/null
}
trap 'stop_fleets; stop_server' EXIT
start_server 5432 -c listen_addresses=
PGPASSWORD=pass:word psql -q -h "$server" -U boss -d postgres -c 'create database market' || give_up "a database is made"

export DATABASE_URL="postgresql://boss:pass%3Aword@/market?host=$server"
start_fleet --no-strategies
check_equal "no private Postgres is started" "" "$(pid_of postgres)"
check_equal "an order fills" true "$(buy BTC/USDT | field success)"
check_equal "events of each kind of its life are in that database" 9 \
    "$(PGPASSWORD=pass:word psql -h "$server" -U boss -d market -Atc "select count(distinct event_type) from event_store where event_type like 'order%' or event_type in ('exchange.routed', 'position.updated')")"
check "verify passes" fleet verify
check_equal "the password is on no command line" 0 "$(pgrep -fc 'pass(:|%3A)word' || true)"
unset DATABASE_URL
check "the home remembers its database" fleet psql -Atc 'select 1'
check_equal "psql is read-only" "" "$(fleet psql -Atc 'delete from events returning 1' 2>/dev/null)"

# ---- event_store ----
check_equal "event_store has the promised columns" \
    "seq event_id event_type timestamp correlation_id causation_id aggregate_id aggregate_version event_data metadata" \
    "$(sql "select string_agg(column_name, ' ' order by ordinal_position) from information_schema.columns where table_name = 'event_store'")"
check_equal "event_data and metadata are jsonb" "event_data metadata" \
    "$(sql "select string_agg(column_name, ' ' order by column_name) from information_schema.columns where table_name = 'event_store' and data_type = 'jsonb'")"
sql "select json_build_object('seq', seq, 'type', event_type, 'data', event_data) from event_store order by seq" >"$base/sql.json"
fleet tail --since 1 --count "$(wc -l <"$base/sql.json")" --json >"$base/tail.json"
check "event_data is what tail --json shows, for every event" python - "$base/sql.json" "$base/tail.json" <<'END'
import json, sys
rows = [json.loads(line) for line in open(sys.argv[1])]
tail = [json.loads(line) for line in open(sys.argv[2])]
assert len(rows) == len(tail) > 9, (len(rows), len(tail))
for row, event in zip(rows, tail):
    assert row["seq"] == event["seq"] and row["type"] == event["event_type"], (row, event)
    assert row["data"] == event["data"], (row["data"], event["data"])
END

# ---- the page of the wire ----
check "docs/wire.md is what the schema says" diff <("$ZVT_BIN/zvt-monitor" schema --markdown) "$checkout/docs/wire.md"
check "down" fleet down

# ---- the role of the processes ----
boss() { PGPASSWORD=pass:word psql -q -h "$server" -U boss -d postgres "$@"; }
boss -c 'create database other' || give_up "another database is made"
owner_url="postgresql://boss:pass%3Aword@/other?host=$server"
app_url="postgresql://fleet:secret@/other?host=$server"
output=$(DATABASE_URL=$owner_url fleet_at "$base/other" up --no-strategies 2>&1)
check "up warns of a role that may change events" grep -q 'may change events that are written (UPDATE, DELETE, TRUNCATE)' <<<"$output"
check "and says what to do" grep -q 'CREATE ROLE fleet LOGIN PASSWORD .* IN ROLE zvt_app' <<<"$output"
fleet_at "$base/other" down >/dev/null 2>&1
boss -c "create role fleet login password 'secret' in role zvt_app"
output=$(DATABASE_URL=$app_url DATABASE_ADMIN_URL=$owner_url fleet_at "$base/other" up --no-strategies 2>&1)
check_equal "with such a role there is no warning" "" "$(grep -i warning <<<"$output")"
check "the home keeps its log, and orders fill" grep -q filled <<<"$(fleet_at "$base/other" order --symbol BTC/USDT --side buy --quantity 0.01)"
for what in "update events set seq = seq" "delete from events" "truncate events" "update event_batches set epoch = 1"; do
    check_refused "that role is refused: $what" "permission denied" env PGPASSWORD=secret psql -X -h "$server" -U fleet -d other -c "$what"
done
check_refused "two different databases are refused" "name different databases" \
    env DATABASE_URL="$app_url" DATABASE_ADMIN_URL="postgresql://boss@/market?host=$server" "$checkout/run/fleet" --home "$base/third" up

# ---- a log that was lost while the ledgers stayed ----
fleet_at "$base/other" down >/dev/null 2>&1
boss -c 'alter database other rename to kept' -c 'create database other'
check_refused "an empty database in the place of the log is refused" "it is empty" fleet_at "$base/other" up --no-strategies
check_refused "with what to do" "accept-lost-log" fleet_at "$base/other" up --no-strategies
boss -c 'drop database other' -c 'create database other template market'
check_refused "so is the log of another home" "another log" fleet_at "$base/other" up --no-strategies
boss -c 'drop database other' -c 'alter database kept rename to other'
check "the log itself is welcome back" fleet_at "$base/other" up --no-strategies
fleet_at "$base/other" down >/dev/null 2>&1

# ---- a server elsewhere, over TLS ----
stop_server
openssl req -x509 -newkey rsa:2048 -nodes -days 2 -subj /CN=localhost -keyout "$server/key" -out "$server/certificate" 2>/dev/null ||
    give_up "a certificate is made"
chmod 600 "$server/key"
if ((EUID == 0)); then chown postgres "$server/key"; fi
port=$(python -c 'import socket; s = socket.socket(); s.bind(("127.0.0.1", 0)); print(s.getsockname()[1])')
start_server "$port" -c listen_addresses=127.0.0.1 -c ssl=on -c ssl_cert_file="$server/certificate" -c ssl_key_file="$server/key"
PGPASSWORD=pass:word psql -q -h "$server" -p "$port" -U boss -d postgres -c 'create database secure' || give_up "a database is made"
secure() { fleet_at "$base/secure" "$@"; }
check "the fleet starts on it" env DATABASE_URL="postgresql://boss:pass%3Aword@127.0.0.1:$port/secure?sslmode=require" \
    "$checkout/run/fleet" --home "$base/secure" up --no-strategies
check_equal "the writer of the log speaks TLS" t \
    "$(secure psql -Atc "select bool_and(ssl) from pg_stat_ssl join pg_stat_activity using (pid) where application_name = 'orchestrator'")"
# Orders by the thousand, and the writer's backend stopped for a moment, so that much is gathered for one commit.
(eval "$(secure env)" && "$ZVT_BIN/zvt-load" --rate 2000 --seconds 4 --warmup 0.1 >"$base/load.json" 2>/dev/null) &
load_pid=$!
backend=$(secure psql -Atc "select pid from pg_stat_activity where application_name = 'orchestrator' order by backend_start limit 1")
many_events() { (($(secure psql -Atc 'select count(*) from events') > 1000)); }
check "the log grows meanwhile" wait_until 20 many_events
kill -STOP "$backend" && sleep 0.3
kill -CONT "$backend"
wait "$load_pid"
check_equal "orders by the thousand end, each once" "0 0" "$(field lost <"$base/load.json") $(field unanswered <"$base/load.json")"
check "some commits have more rows than one frame holds" test \
    "$(secure psql -Atc 'select max(last_seq - first_seq) from event_batches')" -gt 200
check "and verify passes" secure verify
secure down >/dev/null 2>&1


home=$base/private
start_fleet --no-strategies
check "an order fills" buy
fleet down >/dev/null 2>&1
data=$(sed -n 's/^database_data=//p' "$home/database.env")
cp -a "$data" "$data.old"
start_fleet --no-strategies
check "another order fills" buy
fleet down >/dev/null 2>&1
mv "$data" "$data.new" && mv "$data.old" "$data"
check_refused "a database that was restored to an earlier day is refused" "ends at seq [0-9]+, and had reached seq" fleet up --no-strategies
rm -rf "$data"
check_refused "a private database that is gone is refused" "there is no database in that folder" fleet up --no-strategies
check "and no new one is made in its place" test ! -e "$data"
mv "$data.new" "$data"
check "the database itself is welcome back" fleet up --no-strategies
fleet down >/dev/null 2>&1
rm -rf "$data"
check "--accept-lost-log goes on with an empty one" fleet up --no-strategies --accept-lost-log
check "verify counts the fills that only the ledgers know" grep -qE 'every fill of the ledgers is in the log .* put aside: [2-9]' <<<"$(fleet verify)"
fleet down >/dev/null 2>&1
check "and is needed only once" fleet up --no-strategies
