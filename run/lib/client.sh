# shellcheck shell=bash
# client -- commands that look at a fleet or talk to it.

# order, tail, positions ..: the monitor does them; its arguments are its own.
cmd_monitor() {
    local monitor word
    monitor=$(binary zvt-monitor) || exit 1
    for word in "$@"; do
        if [[ $word == --help || $word == -h ]]; then exec "$monitor" "$command_name" --help; fi
    done
    need_processes
    exec "$monitor" "$command_name" "$@"
}

cmd_version() {
    local monitor
    monitor=$(binary zvt-monitor) || exit 1
    say "ZVT $("$monitor" --version | cut -d ' ' -f 2)"
}

# ---- status ----
cmd_status() {
    want_help "$@"
    local monitor state facts code
    [[ $# == 0 || ($# == 1 && $1 == --json) ]] || usage_error "status takes --json and nothing else"
    state=$(fleet_state)
    facts=$(processes_facts)
    if [[ ($state == down && ! -x $(bin_dir)/zvt-monitor) || ($home_kind == copy && $# == 0) ]]; then
        status_without_monitor "$state" "$@"
    fi
    monitor=$(binary zvt-monitor) || exit 1
    "$monitor" status --processes - --services "$(services_dir)" "$@" <<<"$facts"
    code=$?
    if (($# == 0)); then status_show_rest "$state"; fi
    if [[ $state != running ]] || sockets_lost >/dev/null; then return 1; fi
    return "$code"
}

# status_show_rest STATE: what the processes themselves cannot tell.
status_show_rest() {
    if [[ $home_kind == copy ]]; then
        say "No fleet runs in $home."
        say "$(home_copy_text)"
    elif [[ $1 != running ]] || sockets_lost >/dev/null; then
        say "The fleet in $home is $(state_text "$1")."
    else
        status_show_failed
    fi
}

status_without_monitor() {
    if (($# > 1)); then # STATE and --json
        printf '{"fleet": {"state": "%s", "seq": null, "open_sagas": null, "orders_per_second": null}, "processes": []}\n' "$1"
    else
        status_show_rest "$1"
    fi
    exit 1
}

# One line per process: name kind pid uptime_s restarts ready state. An attached program is a strategy to others.
processes_facts() {
    local name kind
    while read -r name; do
        service_facts "$name"
        service_facts_check "$name"
        kind=$(service_kind "$name")
        [[ $kind == program ]] && kind=strategy
        [[ $fact_pid == -1 ]] && fact_pid=-
        printf '%s %s %s %s %s %s %s\n' "$name" "$kind" "$fact_pid" "$fact_seconds" "$(service_restarts "$name")" \
            "$fact_ready" "$fact_state"
    done < <(service_names)
}

status_show_failed() {
    local name
    while read -r name; do
        service_facts "$name"
        [[ $fact_state == failed ]] || continue
        say ""
        say "$name is down: $(service_end "$name"), and stays down. Its last lines:"
        log_tail "$name" 5 | sed 's/^/    /'
        say "  What to do: correct what they say, then start it again with: $me restart $name"
    done < <(service_names)
}

# restarts: the monitor reads what the scripts have noted.
cmd_restarts() {
    want_help "$@"
    local monitor word
    monitor=$(binary zvt-monitor) || exit 1
    for word in "$@"; do
        [[ $word == --json ]] && continue
        [[ $word != -* ]] || usage_error "restarts does not know \"$word\"; see $me restarts --help"
        [[ $word != */* && -d $(service_dir "$word") ]] || fail "there is no process \"$word\"; there are: $(service_names | paste -sd ' ')"
    done
    exec "$monitor" restarts --services "$(services_dir)" "$@"
}

# ---- logs ----
cmd_logs() {
    want_help "$@"
    local follow=no lines='' name=''
    local -a names=() files=()
    while (($# > 0)); do
        case $1 in
        -f | --follow) follow=yes ;;
        -n) need_value "$1" $# && lines=$2 && shift ;;
        -*) usage_error "logs does not know \"$1\"; see $me logs --help" ;;
        *) names+=("$1") ;;
        esac
        shift
    done
    [[ -z $lines || $lines =~ ^[0-9]{1,9}$ ]] || usage_error "-n takes a number of lines, not \"$lines\""
    [[ -e $(marker_file) ]] || fail "there is no fleet in $home"
    if ((${#names[@]} == 0)); then
        lines=${lines:-10}
        mapfile -t names < <(find "$home/log" -mindepth 1 -maxdepth 1 -type d -printf '%f\n' | sort)
    fi
    for name in "${names[@]}"; do
        [[ -f $home/log/$name/current ]] ||
            fail "no process \"$name\" has written a log here; there are: $(find "$home/log" -mindepth 1 -maxdepth 1 -type d -printf '%f ')"
        files+=("$home/log/$name/current")
    done
    ((${#files[@]} > 0)) || fail "there are no logs in $home yet"
    # -F because the supervisor renames a full log and begins a new one.
    if [[ $follow == yes ]]; then exec tail -n "${lines:-20}" -F -- "${files[@]}" 2>/dev/null; fi
    exec tail -n "${lines:-200}" -- "${files[@]}"
}

# ---- database, environment, samples ----
# A read-only session; writing to the log is the orchestrator's alone.
cmd_psql() {
    want_help "$@"
    need_processes
    database_load
    command -v psql >/dev/null || fail "psql is not installed; run: $me up"
    PGOPTIONS="-c default_transaction_read_only=on" PGAPPNAME="fleet psql" database_psql "$database_url" "$@"
}

cmd_env() {
    want_help "$@"
    need_processes
    market_load
    database_load
    fleet_describe "$home/fleet.zpl"
    endpoint_exports
}

# Writes a small recording of the synthetic market, in the format of a real one.
cmd_sample() {
    want_help "$@"
    local venue fleet_file=$ZVT_FLEET file=''
    local -a words=()
    while (($# > 0)); do
        case $1 in
        --seconds) need_value "$1" $# && words+=(--sample-seconds "$2") && shift ;;
        --seed) need_value "$1" $# && words+=(--seed "$2") && shift ;;
        -*) usage_error "sample does not know \"$1\"; see $me sample --help" ;;
        *) file=$1 ;;
        esac
        shift
    done
    [[ -n $file ]] || usage_error "sample needs the file to write; see $me sample --help"
    [[ ! -e $file ]] || fail "$file is there already; name a new file"
    venue=$(binary zvt-venue) || exit 1
    fleet_describe "$fleet_file"
    "$venue" --name sample --venue "$(fleet_fields venue | head -n 1 | cut -f 1)" --config "$fleet_file" --sample "$file" "${words[@]}" ||
        fail "no sample was written"
    say "Replay it with: $me up --replay $file (in a home of its own: a home keeps its market)"
}
