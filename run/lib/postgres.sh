# shellcheck shell=bash
# postgres -- the database of the fleet: a private Postgres of its own, or the one that DATABASE_URL names.
#
# The private one listens on a Unix socket in a folder that only its user can enter, and belongs to the same
# supervisor as every other process. Postgres refuses to run as root, so for root it runs as the user postgres, with its
# data in the home when that user can reach it, else in /var/lib/zvt.
#
# Sets   database_url: what the processes connect with. database_admin_url: what the schema is applied with; in a
#        database that was given to us it comes from DATABASE_ADMIN_URL, or is the same.
# Files  HOME/database.env: which kind of database the home's log is in.

database_file() { printf '%s' "$home/database.env"; }

# Where the data of a private Postgres are that cannot lie in the home with this key.
pg_system_data() { printf '/var/lib/zvt/%s' "$1"; }

# The database_data that the file names. Only our own file is read, because reading it runs it.
database_data_stored() {
    [[ -O $(database_file) ]] || return 0
    (
        database_data=''
        # shellcheck source=/dev/null
        source "$(database_file)"
        printf '%s' "$database_data"
    )
}

# Loads what the home remembers; database_kind is empty when it remembers nothing.
database_load() {
    database_kind='' database_url='' database_admin_url='' database_data=''
    if [[ -f $(database_file) ]]; then
        # shellcheck source=/dev/null
        source "$(database_file)"
    fi
    # Inside a home that was moved or copied, the data are inside it too.
    if [[ $home_kind != own && $database_data == "$home_made/postgres" ]]; then database_data=$home/postgres; fi
    if [[ $database_kind == private ]]; then
        unset "${!PG@}" # the user's own libpq settings are for other servers
        database_url="postgresql:///zvt?host=$pg_socket_dir&user=zvt_app"
        database_admin_url="postgresql:///zvt?host=$pg_socket_dir&user=zvt"
    fi
}

database_store() {
    local file name
    file=$(database_file)
    (
        umask 077
        for name in database_kind database_url database_admin_url database_data; do
            printf '%s=%q\n' "$name" "${!name}"
        done >"$file.new"
    ) && mv -f -- "$file.new" "$file" || fail "cannot write $file ($(free_space "$home") free)"
}

# Decides which database, from the environment and from what the home remembers.
database_resolve() {
    local wanted=private
    [[ -n ${DATABASE_URL:-} ]] && wanted=given
    database_load
    if [[ $database_kind == private && $wanted == given ]]; then
        fail "the log of $home is in its private Postgres, but DATABASE_URL is set; unset it, or use another --home DIR"
    elif [[ $database_kind == given && $wanted == private ]]; then
        note "Using the database this home began with: $(dsn_without_password "$database_url")"
    elif [[ $database_kind == given && $(dsn_place "$DATABASE_URL") != "$(dsn_place "$database_url")" ]]; then
        fail "the log of $home is in $(dsn_without_password "$database_url"), but DATABASE_URL names $(dsn_without_password "$DATABASE_URL"); use another --home DIR"
    elif [[ $wanted == given ]]; then
        database_kind=given database_url=$DATABASE_URL database_admin_url=${DATABASE_ADMIN_URL:-$DATABASE_URL}
        [[ $(dsn_place "$database_url") == "$(dsn_place "$database_admin_url")" ]] ||
            fail "DATABASE_URL and DATABASE_ADMIN_URL name different databases; they may differ in user and password alone"
    else
        database_kind=private
        database_data=${database_data:-$(pg_choose_data)}
        [[ $database_data == "$home/postgres" || $database_data == "$(pg_system_data "$key")" ]] ||
            fail "$(database_file) names $database_data, which is not this home's; correct it"
        database_store
        database_load
    fi
}

# The DSN as it may be shown.
dsn_without_password() {
    sed -E -e 's#(://[^:/@?]*):[^@/]*@#\1@#' -e "s#password=('[^']*'|[^ &]*)#password=...#g" <<<"$1"
}

# The DSN without who connects: the same place for every role.
dsn_place() { sed -E -e 's#://[^/@]*@#://#' -e "s#(user|password)=('[^']*'|[^ &]*)[ &]?##g" <<<"$1"; }

# ---- the private Postgres ----
# Newest server binaries, or those of the version that made the data.
pg_bin() {
    local version
    if [[ -f ${database_data:-}/PG_VERSION ]]; then
        version=$(cat -- "$database_data/PG_VERSION")
        [[ -x /usr/lib/postgresql/$version/bin/postgres ]] ||
            fail "the log in $database_data was made by Postgres $version, which is not installed; run: apt-get install postgresql-$version"
    else
        version=$(find /usr/lib/postgresql -mindepth 1 -maxdepth 1 -printf '%f\n' 2>/dev/null | sort -n | tail -n 1)
        [[ -n $version && -x /usr/lib/postgresql/$version/bin/postgres ]] || fail "no Postgres server in /usr/lib/postgresql; run: $me up"
    fi
    printf '/usr/lib/postgresql/%s/bin' "$version"
}

# The words that run a program as the user Postgres runs as; none when that is us.
pg_as=()
if am_root; then pg_as=(setpriv --reuid postgres --regid postgres --init-groups); fi

pg_choose_data() {
    local reachable=$home
    am_root || { printf '%s' "$home/postgres" && return; }
    id postgres >/dev/null 2>&1 || fail "there is no user \"postgres\", as which Postgres would run; reinstall the package postgresql-common"
    if "${pg_as[@]}" test -x "$reachable"; then
        printf '%s' "$home/postgres"
    else
        pg_system_data "$key"
    fi
}

# Takes the private Postgres of a home that was moved along: what lies outside of the home has the old path's key.
database_adopt() {
    local adopted
    database_load
    [[ $database_kind == private ]] || return 0
    adopted=$(pg_system_data "$(path_key "$home")")
    if [[ $database_data == "$(pg_system_data "$key")" ]]; then
        [[ ! -d $database_data ]] || mv -T -- "$database_data" "$adopted" || fail "cannot move $database_data to $adopted"
        database_data=$adopted
    elif [[ $database_data == "$home/postgres" && -d $database_data && $(pg_choose_data) != "$database_data" ]]; then
        fail "the user postgres, as which Postgres runs for root, cannot reach $home; move it to a folder that other users can pass through"
    fi
    database_store
}

pg_own() { if am_root; then chown postgres:postgres -- "$@"; fi; }

# Makes the data folder, complete or not at all: an interrupted one has another name.
pg_create_data() {
    local bin log=$home/log/initdb.log
    [[ -f $database_data/PG_VERSION ]] && return
    bin=$(pg_bin) || exit 1
    note "Making the private Postgres in $database_data"
    rm -rf -- "$database_data.new"
    mkdir -p -- "$(dirname -- "$database_data")" && mkdir -m 700 -- "$database_data.new" && pg_own "$database_data.new" ||
        fail "cannot make $database_data ($(free_space "$(dirname -- "$database_data")") free)"
    (cd / && "${pg_as[@]}" "$bin/initdb" --pgdata "$database_data.new" --username postgres --data-checksums --encoding UTF8 \
        --locale C --auth peer) >"$log" 2>&1 || {
        tail -n 5 -- "$log" >&2
        rm -rf -- "$database_data.new"
        fail "Postgres could not make its data in $database_data (see above; $(free_space "$(dirname -- "$database_data")") free)"
    }
    echo "include 'fleet.conf'" >>"$database_data.new/postgresql.conf"
    mv -T -- "$database_data.new" "$database_data" || fail "cannot make $database_data"
}

# Settings that follow from where this fleet lives, and those measured for the event log (docs/operations.md).
pg_configure() {
    local user
    user=$(id -un)
    cat >"$database_data/fleet.conf" <<END || fail "cannot write to $database_data ($(free_space "$database_data") free)"
listen_addresses = ''
unix_socket_directories = '$pg_socket_dir'
unix_socket_permissions = 0700
max_connections = 50
synchronous_commit = on
fsync = on
full_page_writes = on
shared_buffers = 256MB
max_wal_size = 256MB
min_wal_size = 256MB
checkpoint_timeout = 30s
checkpoint_completion_target = 0.1
recovery_init_sync_method = syncfs
wal_compression = off
jit = off
autovacuum = on
log_line_prefix = '%m [%p] '
log_destination = stderr
logging_collector = off
END
    printf 'local all all peer map=fleet\n' >"$database_data/pg_hba.conf"
    for role in postgres zvt zvt_app; do
        printf 'fleet %s %s\n' "$user" "$role"
    done >"$database_data/pg_ident.conf"
    pg_own "$database_data/fleet.conf"
}

pg_make_socket_dir() {
    if am_root; then
        install -d -m 700 -o postgres -g postgres -- "$pg_socket_dir" || fail "cannot make the folder $pg_socket_dir"
        [[ ! -L $pg_socket_dir && $(owner_of "$pg_socket_dir") == "$(id -u postgres)" ]] ||
            fail "the folder $pg_socket_dir belongs to another user; remove it"
    else
        private_dir "$pg_socket_dir"
    fi
}

# The run script of the service, on stdout. Processes of a postmaster that was killed end a moment after it; a new one that
# begins before refuses to, because they still use its shared memory (whose id is in the 7th line of postmaster.pid), and would
# be started again only after a second. The readiness of Postgres is asked for, because it cannot signal it; s6-notifyoncheck
# wants to be in the service's folder, where it finds data/check.
pg_run_script() {
    local bin
    bin=$(pg_bin) || exit 1
    # shellcheck disable=SC2016 # for the script to expand
    printf 'shm=$(sed -n "7s/.* //p" %s 2>/dev/null) tries=0\n' "$(quoted "$database_data/postmaster.pid")"
    cat <<'END'
while [ -n "$shm" ] && [ $tries -lt 50 ] && awk -v id="$shm" '$2 == id && $7 > 0 { used = 1 } END { exit !used }' /proc/sysvipc/shm; do
    tries=$((tries + 1))
    sleep 0.02
done
END
    printf 'exec s6-notifyoncheck -d -s 50 -w 50 -n 0 '
    printf 'setpriv --pdeathsig KILL %s%s/postgres -D %s\n' "${pg_as[*]:1}${pg_as[*]:+ }" "$bin" "$(quoted "$database_data")"
}

# The script that asks, and notes when the answer was yes.
pg_check_script() {
    local bin
    bin=$(pg_bin) || exit 1
    printf '#!/bin/sh\n%s/pg_isready -q -h %s || exit 1\n' "$bin" "$pg_socket_dir"
    # shellcheck disable=SC2016 # for the script to expand
    echo 'echo "$ZVT_RUN" 1<>"$ZVT_READY_FILE"'
}

# ---- using a database ----
# database_psql URL ARGS..: psql without the user's settings. The password travels in the environment, because
# everybody can read a command line.
database_psql() {
    local url=$1 password=''
    shift
    if [[ $url =~ ^([a-z]+://[^:/@?]*):([^@/]*)@(.*)$ ]]; then
        url=${BASH_REMATCH[1]}@${BASH_REMATCH[3]}
        printf -v password '%b' "${BASH_REMATCH[2]//%/\\x}"
    fi
    PGPASSWORD=${password:-${PGPASSWORD:-}} PGCONNECT_TIMEOUT=5 psql -X -d "$url" "$@"
}

# Checks a database that was given to us.
database_check_given() {
    local problem
    problem=$(database_psql "$database_url" -Atqc 'select 1' 2>&1 >/dev/null) && return
    problem=${problem#psql: error: }
    fail "cannot use the database $(dsn_without_password "$database_url"): ${problem//$'\n'/ }
  Start it, correct DATABASE_URL, or unset it to use a private Postgres."
}

# A database that already has a log belongs to the home that made it.
database_refuse_foreign_log() {
    local events
    [[ $database_kind == given && ! -f $(market_file) ]] || return 0
    events=$(database_psql "$database_url" -Atqc \
        "select case when to_regclass('events') is null then 0 else (select count(*) from (select from events limit 1) e) end" 2>/dev/null) || return 0
    [[ $events == 0 ]] && return
    fail "the database $(dsn_without_password "$database_url") holds the log of another home; name an empty database"
}

# What the role of a DSN may do to events that are written; empty if it may only append and read, as it should.
database_may_change() {
    database_psql "$1" -Atc "select string_agg(privilege, ', ') from unnest(array['UPDATE', 'DELETE', 'TRUNCATE']) privilege
        where has_table_privilege('events', privilege) or has_table_privilege('event_batches', privilege)" 2>/dev/null || echo "connect"
}

# The processes should not be able to change what is written; in a database that was given to us that is for its owner
# to arrange, because only he can make a role that may log in.
database_check_role() {
    local may
    [[ $database_kind == given ]] || return 0
    may=$(database_may_change "$database_url")
    [[ -n $may ]] || return 0
    note "Warning: the role in $(dsn_without_password "$database_url") may change events that are written ($may), and so may
  whatever runs as it. What to do: make a role for the processes, which may only append and read, with
    CREATE ROLE fleet LOGIN PASSWORD '...' IN ROLE zvt_app
  and start with its DSN in DATABASE_URL and the present one in DATABASE_ADMIN_URL, which only \"up\" uses, for the schema."
}

# Makes the roles and the database of a private Postgres.
pg_create_roles() {
    database_psql "postgresql:///postgres?host=$pg_socket_dir&user=postgres" -q -v ON_ERROR_STOP=1 <<'END'
select 'create role zvt login createrole' where not exists (select from pg_roles where rolname = 'zvt') \gexec
select 'create role zvt_app login' where not exists (select from pg_roles where rolname = 'zvt_app') \gexec
grant zvt_app to zvt with admin option;
select 'create database zvt owner zvt' where not exists (select from pg_database where datname = 'zvt') \gexec
END
}

# Applies run/sql/*.sql in the order of their names, then the SQL that is generated from the schema table.
schema_apply() {
    local file monitor log=$home/log/schema.log partition_events=${ZVT_PARTITION_EVENTS:-10000000}
    monitor=$(binary zvt-monitor) || exit 1
    [[ $partition_events =~ ^[1-9][0-9]{3,14}$ ]] || fail "ZVT_PARTITION_EVENTS is a number of events, 1000 or more, not \"$partition_events\""
    {
        if [[ $database_kind == private ]]; then pg_create_roles || return 1; fi
        for file in "$checkout"/run/sql/*.sql; do
            [[ -e $file ]] || continue
            database_psql "$database_admin_url" -q -v ON_ERROR_STOP=1 -v partition_events="$partition_events" -f "$file" || return 1
        done
        "$monitor" schema --sql | database_psql "$database_admin_url" -q -v ON_ERROR_STOP=1 || return 1
    } >"$log" 2>&1
}
