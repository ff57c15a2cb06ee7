# shellcheck shell=bash
# lifecycle -- up, down and restart.

cmd_up() {
    want_help "$@"
    local opt_config='' opt_replay='' opt_speed='' opt_seed='' opt_strategies=yes opt_install=yes opt_accept_lost_log=no trading_state=''
    up_options "$@"
    home_refuse_copy
    market_check_options
    install_missing "$opt_install" "${packages_run[@]}"
    home_open
    take_lock
    home_refuse_copy
    home_adopt
    if [[ $(fleet_state) == running ]]; then
        up_on_running
        return
    fi
    up_state=begun
    trap 'up_abandon' EXIT
    trap 'exit 130' INT TERM HUP
    if [[ -z ${ZVT_BIN:-} ]]; then build "$(build_dir)" -DZVT_TESTS=OFF; fi
    market_resolve
    database_resolve
    supervisor_stop # what a killed supervisor has left
    market_replay_again
    up_start
    up_state=trading
    trap - EXIT INT TERM HUP
    up_summary
}

up_options() {
    while (($# > 0)); do
        case $1 in
        --config) need_value "$1" $# && opt_config=$2 && shift ;;
        --replay) need_value "$1" $# && opt_replay=$2 && shift ;;
        --speed) need_value "$1" $# && opt_speed=$2 && shift ;;
        --seed) need_value "$1" $# && opt_seed=$2 && shift ;;
        --config=* | --replay=* | --speed=* | --seed=*)
            set -- "${1%%=*}" "${1#*=}" "${@:2}"
            continue
            ;;
        --no-strategies) opt_strategies=no ;;
        --no-install) opt_install=no ;;
        --accept-lost-log) opt_accept_lost_log=yes ;;
        *) usage_error "up does not know \"$1\"; see $me up --help" ;;
        esac
        shift
    done
    [[ -z $opt_config || -r $opt_config ]] || fail "cannot read the fleet file $opt_config"
}

# A second `up` changes nothing; it refuses what would be a change.
up_on_running() {
    local reason state
    if sockets_lost >/dev/null; then fail "the fleet in $home is $(state_text running)"; fi
    market_load
    database_load
    if reason=$(market_difference); then
        fail "the fleet in $home is running on $(market_text); $reason. Stop it first: $me down"
    fi
    if [[ -n $opt_speed && $opt_speed != "$market_speed" ]]; then
        fail "the fleet in $home is running on $(market_text); stop it first to change the speed: $me down"
    fi
    if [[ -n $opt_config ]] && ! cmp -s -- "$opt_config" "$home/fleet.zpl"; then
        fail "the fleet in $home is running with another fleet file ($market_config); stop it first: $me down"
    fi
    if [[ -r $market_config ]] && ! cmp -s -- "$market_config" "$home/fleet.zpl"; then
        note "$market_config has changed since the fleet started; to use it: $me down && $me up"
    fi
    state=$(wait_trading 30) || fail "the fleet in $home is running but does not trade; see: $me status"
    up_tell_broken
    say "The fleet in $home is running already$(halted_text "$state"), on $(market_text)."
}

# Tells of processes of a running fleet that do not work. Without a strategy the fleet is whole, without another it is not.
up_tell_broken() {
    local name whole=yes
    local -a broken=()
    wait_until 10000 services_settled
    while read -r name; do
        service_facts "$name"
        [[ $fact_state != running && $fact_state != finished ]] || continue
        broken+=("$name")
        service_is_strategy "$name" || whole=no
    done < <(service_names)
    ((${#broken[@]} > 0)) || return 0
    status_show_failed >&2
    [[ $whole == yes ]] || fail "the fleet in $home is running, but not all of it works: ${broken[*]}; see: $me status"
}

# Starts everything in order; every failure ends the command, and the exit trap stops what was started.
up_start() {
    if [[ $database_kind == given ]]; then
        database_check_given
        database_refuse_foreign_log
        database_store
    fi
    log_check_data
    cp -- "$market_config" "$home/fleet.zpl" || fail "cannot write $home/fleet.zpl ($(free_space "$home") free)"
    private_dir "$runtime"
    supervisor_start
    export ZVT_FLEET=$home/fleet.zpl
    environment_write
    if [[ $database_kind == private ]]; then up_private_postgres; fi
    log_check
    schema_apply || {
        tail -n 5 -- "$home/log/schema.log" >&2
        fail "the schema could not be applied to $(dsn_without_password "$database_url") (see above)"
    }
    database_check_role
    log_store || fail "cannot write $(log_file) ($(free_space "$home") free)"
    market_store
    services_write
    strategies_write "$opt_strategies"
    up_services
}

# The fleet has to start; a strategy that does not is only told of.
up_services() {
    local name
    local -a names=() strategies=()
    while read -r name; do
        if service_is_strategy "$name"; then strategies+=("$name"); else names+=("$name"); fi
    done < <(service_names)
    services_link "${names[@]}" "${strategies[@]}"
    services_wait 60 "${names[@]}" || fail "the fleet did not start; everything was stopped again. Logs: $home/log"
    trading_state=$(wait_trading 30) || {
        log_show orchestrator
        fail "every process is ready, but the fleet does not trade; everything was stopped again. Logs: $home/log"
    }
    for name in "${strategies[@]}"; do
        services_wait 10 "$name" || note "  The fleet goes on without the strategy $name."
    done
}

up_private_postgres() {
    pg_create_data
    pg_make_socket_dir
    pg_configure
    pg_run_script >"$home/s6/run.postgres" || exit 1
    service_write postgres database fd '' <"$home/s6/run.postgres"
    rm -f -- "$home/s6/run.postgres"
    pg_check_script >"$(service_dir postgres)/data/check" && chmod 755 -- "$(service_dir postgres)/data/check" ||
        fail "cannot write the service folder of Postgres ($(free_space "$home") free)"
    services_link postgres
    services_wait 120 postgres || fail "the private Postgres did not start ($(free_space "$database_data") free in $database_data)"
}

# wait_trading SECONDS: true once the orchestrator takes orders, or would but for a halt. Prints which: trading or halted.
wait_trading() {
    local monitor
    monitor=$(binary zvt-monitor) || return 1
    timeout -k 2 $(($1 + 5)) "$monitor" wait-ready --timeout "$1"
}

# halted_text STATE: what to add to a sentence that says that the fleet runs.
halted_text() { [[ $1 != halted ]] || printf ' and halted'; }

# Runs when `up` ends early: by an error, by Ctrl-C, by a signal.
up_abandon() {
    local code=$?
    trap '' INT TERM HUP
    if [[ ${up_state:-} == begun ]]; then
        if [[ -e $(token_file) ]]; then
            note "Stopping what was started."
            supervisor_stop
        else
            runtime_remove # made before the supervisor
        fi
    fi
    exit "$code"
}

up_summary() {
    local name
    local -a strategies=()
    while read -r name; do
        if service_is_strategy "$name"; then strategies+=("$name"); fi
    done < <(service_names)
    if market_has_ended; then
        say "The fleet runs, on $(market_text), which has ended: orders are refused."
    elif [[ $trading_state == halted ]]; then
        say "The fleet runs and is halted, on $(market_text)."
    else
        say "The fleet trades, on $(market_text)."
    fi
    say "  venues      $(fleet_venues | paste -sd ' ')$(up_idle_venues)"
    say "  strategies  ${strategies[*]:-none}"
    say "  home        $home"
    say "Try next:"
    suggest "tail" "watch events as they happen" \
        "order --symbol $(fleet_fields instrument | head -n 1) --side buy --quantity 0.1" "place an order yourself" \
        "status" "processes, rates and latency"
}

# In a replay only some venues take part: says which do not.
up_idle_venues() {
    local idle
    [[ $market_mode == replay ]] || return 0
    idle=$(comm -23 <(fleet_fields venue | cut -f 1 | sort) <(fleet_venues | sort) | paste -sd ' ')
    [[ -z $idle ]] || printf ' (not in a recorded market: %s)' "$idle"
}

# ---- down ----
cmd_down() {
    want_help "$@"
    local wipe=no yes=no state
    while (($# > 0)); do
        case $1 in
        --wipe) wipe=yes ;;
        --yes) yes=yes ;;
        *) usage_error "down does not know \"$1\"; see $me down --help" ;;
        esac
        shift
    done
    if [[ ! -d $home ]]; then
        say "There is no fleet in $home."
        return
    fi
    [[ -e $(marker_file) ]] || fail "$home is not the home of a fleet"
    [[ -O $home ]] || fail "$home belongs to $(stat -c %U -- "$home"); run this as that user"
    if [[ $wipe == yes ]]; then confirm_wipe "$yes"; fi
    take_lock
    state=$(fleet_state)
    if [[ $home_kind == copy && $wipe == no ]]; then
        say "No fleet runs in $home, and nothing was stopped."
        note "$(home_copy_text)"
    elif [[ $state != down ]]; then
        note "Stopping the fleet in $home"
        database_load
        log_store # as far as the database still answers
        supervisor_stop
        say "The fleet is stopped. Its log is kept; \"$me up\" goes on with it."
    elif [[ $wipe == no ]]; then
        say "The fleet in $home is not running."
    fi
    if [[ $wipe == yes ]]; then home_wipe; fi
}

confirm_wipe() {
    local answer
    [[ $1 == yes ]] && return
    [[ -t 0 ]] || fail "--wipe deletes the log with its archive, the venues' ledgers and every position in $home; without a terminal say --wipe --yes"
    read -r -p "Delete the log with its archive, the venues' ledgers and every position in $home? Type yes: " answer
    [[ $answer == yes ]] || fail "nothing was deleted"
}

# Deletes what `up` made, item by item, and the home itself when nothing else is in it. Outside of the home that is the
# folder in /var/lib with the key of this home, which a home that was not made here has none of.
home_wipe() {
    local outside
    database_load
    outside=$(pg_system_data "$key")
    if [[ $database_kind == private && $database_data != "$home/postgres" ]]; then
        if [[ $home_kind == own && $database_data == "$outside" ]]; then
            rm -rf -- "$outside" "$outside.new"
        else
            note "The log in $database_data is left alone: that is not this home's folder. Delete it yourself when it is given up."
        fi
    fi
    if [[ $database_kind == given ]]; then
        note "The log in $(dsn_without_password "$database_url") is left alone; drop that database yourself."
    fi
    rm -rf -- "${home:?}"/{state,log,s6,attached,archive,archive.bases,postgres,postgres.new,build}
    rm -f -- "$home"/{fleet.zpl,market.env,database.env,runtime,market.env.new,database.env.new,lock,archive.lock} "$(marker_file)"{,.new}
    rmdir -- "$home" 2>/dev/null || note "$home is kept: it holds other files."
    say "Deleted the data of the fleet in $home."
}

# Stops everything of this fleet, also what a killed supervisor left behind, and takes the sockets away. Strategies go
# first and the database last, so that nobody complains about a peer that was stopped before it.
supervisor_stop() {
    local name
    local -a strategies=() others=()
    if [[ $(fleet_state) == running ]]; then
        while read -r name; do
            if service_is_strategy "$name"; then
                strategies+=("$(service_dir "$name")")
            elif [[ $name != postgres ]]; then
                others+=("$(service_dir "$name")")
            fi
        done < <(service_names)
        services_stop "${strategies[@]}"
        services_stop "${others[@]}"
    else
        for name in "$(services_dir)"/*/; do
            s6-svc -xd "$name" 2>/dev/null
            s6-svc -x "$name/log" 2>/dev/null
        done
        orphans_stop
    fi
    if ! wait_until 60000 nothing_left; then
        note "  some processes do not stop; killing them: $(fleet_pids | paste -sd ' ')"
        fleet_pids | xargs -r kill -KILL 2>/dev/null
        wait_until 5000 nothing_left
    fi
    runtime_remove
}

# What carries our token and was left by a killed s6-supervise: nobody else would stop it. Loggers (s6-log) end with those
# whose words they write.
orphans() {
    local pid pids name parent
    pids=" $(fleet_pids | paste -sd ' ') "
    for pid in $pids; do
        name=$(cat -- "/proc/$pid/comm" 2>/dev/null)
        parent=$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$pid/status" 2>/dev/null)
        [[ -z $parent || $name == s6-* || $pids == *" $parent "* ]] || echo "$pid"
    done
}
no_orphans() { [[ -z $(orphans) ]]; }

orphans_stop() {
    orphans | xargs -r kill -TERM 2>/dev/null
    wait_until 8000 no_orphans || orphans | xargs -r kill -KILL 2>/dev/null
}

# services_stop DIR..: stops them together; a process that does not obey is killed after its timeout-kill.
services_stop() {
    local dir
    (($# > 0)) || return 0
    for dir in "$@"; do s6-svc -d "$dir" 2>/dev/null; done
    s6-svwait -D -a -t 12000 "$@" 2>/dev/null
}

# Tells the supervisor again and again, because one that has just been started does not listen yet.
nothing_left() {
    s6-svscanctl -t "$(scan_dir)" 2>/dev/null
    [[ -z $(fleet_pids) ]]
}

runtime_remove() {
    local dir
    for dir in "$runtime" "$pg_socket_dir"; do
        [[ -d $dir && ! -L $dir && $dir == */zvt-$key* ]] && rm -rf -- "$dir"
    done
    rm -rf -- "$home/s6"
    rm -f -- "$home/runtime"
}

# ---- restart ----
cmd_restart() {
    want_help "$@"
    local name state
    (($# > 0)) || usage_error "restart needs the name of a process; $me status lists them"
    need_running
    take_lock
    for name in "$@"; do
        [[ -d $(service_dir "$name") && $name != */* ]] || fail "there is no process \"$name\"; there are: $(service_names | paste -sd ' ')"
    done
    for name in "$@"; do
        service_asked "$name"
        s6-svc -wD -T 15000 -d "$(service_dir "$name")" || fail "$name does not stop; see: $me logs $name"
        s6-svdt-clear "$(service_dir "$name")" # its crashes so far do not count against it any more
        # Until its supervisor has taken this, its state is that of the run before, which may have failed.
        s6-svc -wu -T 15000 -u "$(service_dir "$name")" || fail "$name cannot be started; see: $me logs $name"
    done
    services_wait 60 "$@" || fail "see above"
    state=$(wait_trading 30) || fail "the fleet does not trade; see: $me status"
    if [[ $state == halted ]]; then say "Restarted $*; the fleet is halted."; else say "Restarted $*; the fleet trades."; fi
}
