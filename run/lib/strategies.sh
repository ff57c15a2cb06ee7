# shellcheck shell=bash
# strategies -- attaching, detaching and listing strategies.
#
# Files  HOME/attached/NAME: how an attached strategy is started; it comes back with every `up` until it is detached.
#
# An attached program gets ZVT_STRATEGY_NAME, ZVT_STRATEGY_SYMBOL, ZVT_STRATEGY_VENUE and ZVT_STRATEGY_SETTINGS (the
# --set values, separated by commas), and everything that `fleet env` prints.

attached_file() { printf '%s/attached/%s' "$home" "$1"; }

attached_names() {
    local file
    for file in "$home"/attached/*; do
        [[ -f $file ]] && basename -- "$file"
    done
    return 0
}

# ---- writing services ----
# Writes the services of the fleet file's strategies and of the attached ones; with "no", of none.
strategies_write() {
    local name strategy symbol venue settings
    if [[ $1 != yes ]]; then
        if [[ -n $(attached_names) ]]; then note "Attached strategies stay off this time: $(attached_names | paste -sd ' ')"; fi
        return
    fi
    market_load_symbols
    while IFS=$'\t' read -r name strategy symbol venue settings; do
        strategy_runs_here "$name" "$symbol" "$venue" || continue
        strategy_write_builtin "$name" "$strategy" "$symbol" "$venue" "$settings"
    done < <(fleet_fields strategy | sed 's/\t\t/\t-\t/g; s/\t$/\t-/')
    while read -r name; do
        attached_write "$name"
    done < <(attached_names)
}

# strategy_runs_here NAME SYMBOL VENUE: in a replay, a strategy has nothing to trade on when its venue takes no part, or
# when the recording has no quotes of its symbol. Uses recorded_symbols.
strategy_runs_here() {
    if [[ $3 != - && -n $3 ]] && ! fleet_venues | grep -qFx -- "$3"; then
        note "  strategy $1 stays off: its venue $3 takes no part in this market"
        return 1
    fi
    if [[ $market_mode == replay ]] && ! grep -qFx -- "$2" <<<"$recorded_symbols"; then
        note "  strategy $1 stays off: the recorded market has no $2"
        return 1
    fi
}

# strategy_write_builtin NAME STRATEGY SYMBOL VENUE SETTINGS: "-" for any venue; settings separated by tabs.
strategy_write_builtin() {
    local setting
    local -a words=(--name "$1" --strategy "$2" --symbol "$3") settings=()
    if [[ $4 != - && -n $4 ]]; then words+=(--venue "$4"); fi
    if [[ -n $5 && $5 != - ]]; then IFS=$'\t' read -r -a settings <<<"$5"; fi
    for setting in "${settings[@]}"; do words+=(--set "$setting"); done
    daemon_write "$1" strategy zvt-strategy "${words[@]}"
}

# attached_write NAME: writes the service of an attached strategy from its file.
attached_write() {
    local attached_program='' attached_strategy='' attached_symbol='' attached_venue='' attached_settings='' attached_directory=''
    # shellcheck source=/dev/null
    source "$(attached_file "$1")"
    if [[ -z $attached_program ]]; then
        strategy_write_builtin "$1" "$attached_strategy" "$attached_symbol" "${attached_venue:--}" "${attached_settings//$'\n'/$'\t'}"
    else
        attached_write_program "$1"
    fi
    : >"$(service_dir "$1")/data/attached"
}

# Uses the attached_* variables of its caller. A program says nothing about readiness: it works when it runs. Its lines
# get a time.
attached_write_program() {
    {
        # shellcheck disable=SC2016 # for the script to expand
        echo 'echo "$run" 1<>"$ZVT_READY_FILE"'
        printf 'unset ZVT_READY_FD ZVT_READY_FILE ZVT_RUN\ncd %s || cd /\n' "$(quoted "$attached_directory")"
        printf 'export ZVT_STRATEGY_NAME=%s ZVT_STRATEGY_SYMBOL=%s ZVT_STRATEGY_VENUE=%s\n' \
            "$(quoted "$1")" "$(quoted "$attached_symbol")" "$(quoted "$attached_venue")"
        printf 'export ZVT_STRATEGY_SETTINGS=%s PYTHONUNBUFFERED=1\n' "$(quoted "${attached_settings//$'\n'/,}")"
        printf 'exec setpriv --pdeathsig KILL %s\n' "$(quoted "$attached_program")"
    } | service_write "$1" program none T
}

# ---- attach ----
cmd_attach() {
    want_help "$@"
    local attach_what='' attach_name='' attach_symbol='' attach_venue='' attach_settings=''
    attach_options "$@"
    need_running
    take_lock
    attach_load
    attach_check
    mkdir -p -- "$home/attached" && attach_store || fail "cannot write $home/attached ($(free_space "$home") free)"
    attached_write "$attach_name"
    services_link "$attach_name"
    attach_watch
}

attach_options() {
    while (($# > 0)); do
        case $1 in
        --name) need_value "$1" $# && attach_name=$2 && shift ;;
        --symbol) need_value "$1" $# && attach_symbol=$2 && shift ;;
        --venue) need_value "$1" $# && attach_venue=$2 && shift ;;
        --set)
            need_value "$1" $#
            [[ $2 =~ ^[A-Za-z0-9_.-]+=[^$'\n\t,']*$ ]] || usage_error "--set takes KEY=VALUE without commas, not \"$2\""
            attach_settings+=${attach_settings:+$'\n'}$2
            shift
            ;;
        --name=* | --symbol=* | --venue=* | --set=*)
            set -- "${1%%=*}" "${1#*=}" "${@:2}"
            continue
            ;;
        -*) usage_error "attach does not know \"$1\"; see $me attach --help" ;;
        *)
            [[ -z $attach_what ]] || usage_error "attach takes one strategy at a time, not \"$attach_what\" and \"$1\""
            attach_what=$1
            ;;
        esac
        shift
    done
    [[ -n $attach_what ]] || usage_error "attach needs a strategy (see $me strategies) or the path of a program, such as ./mine"
}

# What the running fleet is made of.
attach_load() {
    market_load
    database_load
    fleet_describe "$home/fleet.zpl"
}

# Checks every word against the fleet, and fills in what was left out.
attach_check() {
    local -a symbols venues
    mapfile -t symbols < <(fleet_fields instrument)
    mapfile -t venues < <(fleet_venues)
    attach_symbol=${attach_symbol:-${symbols[0]}}
    one_of "$attach_symbol" "${symbols[@]}" || fail "there is no instrument \"$attach_symbol\" in this fleet; there are: ${symbols[*]}"
    [[ -z $attach_venue ]] || one_of "$attach_venue" "${venues[@]}" || fail "there is no venue \"$attach_venue\" in this fleet; there are: ${venues[*]}"
    attach_program=''
    if [[ $attach_what == */* || (-f $attach_what && ! $(builtin_names) =~ (^|$'\n')$attach_what($|$'\n')) ]]; then
        attach_check_program
    else
        one_of "$attach_what" $(builtin_names) ||
            fail "there is no strategy \"$attach_what\"; there are: $(builtin_names | paste -sd ' '). A program of your own is named by its path, such as ./$attach_what"
    fi
    attach_check_name
}

one_of() {
    local wanted=$1 word
    shift
    for word in "$@"; do [[ $word == "$wanted" ]] && return; done
    return 1
}

attach_check_program() {
    [[ -e $attach_what ]] || fail "there is no file $attach_what"
    [[ -f $attach_what ]] || fail "$attach_what is not a file that can be run"
    [[ -x $attach_what ]] || fail "$attach_what may not be executed; run: chmod +x $attach_what"
    attach_program=$(realpath -- "$attach_what")
}

# A name that is free, made from the strategy's when none was given. One that has failed may be used again.
attach_check_name() {
    local base number=1
    if [[ -n $attach_name ]]; then
        [[ $attach_name =~ ^[A-Za-z0-9][A-Za-z0-9_-]{0,30}$ ]] ||
            fail "a name has letters, digits, - and _, and at most 31 of them; \"$attach_name\" does not"
        name_is_free "$attach_name" || fail "there is a process \"$attach_name\" already; choose another --name, or: $me detach $attach_name"
        return
    fi
    base=$(basename -- "${attach_what%.*}" | tr -c 'A-Za-z0-9_\n-' _)
    base=${base:0:28}
    [[ $base =~ ^[A-Za-z0-9] ]] || base=strategy$base
    attach_name=$base
    until name_is_free "$attach_name"; do
        number=$((number + 1))
        attach_name=$base-$number
    done
}

name_is_free() {
    [[ -d $(service_dir "$1") ]] || return 0
    service_facts "$1"
    [[ $fact_state == failed || $fact_state == finished ]] && [[ -e $(service_dir "$1")/data/attached ]] || return 1
    service_remove "$1"
}

attach_store() {
    local attached_program=$attach_program attached_strategy=$attach_what attached_symbol=$attach_symbol
    local attached_venue=$attach_venue attached_settings=$attach_settings attached_directory=$PWD name
    for name in attached_program attached_strategy attached_symbol attached_venue attached_settings attached_directory; do
        printf '%s=%q\n' "$name" "${!name}"
    done >"$(attached_file "$attach_name")"
}

# Watches the new strategy until it is ready, or for three seconds if it is a program, which cannot say so. Tells of
# every crash; after the fifth the supervisor gives up, and so does this command.
attach_watch() {
    local crashes=0 now stable_at
    stable_at=$(($(now_ms) + 3000))
    while :; do
        service_facts "$attach_name"
        now=$(service_restarts "$attach_name")
        if [[ $fact_state == finished ]]; then
            say "$attach_name ended by itself, successfully. Its last lines:"
            log_tail "$attach_name" 8
            return
        elif [[ $fact_state == failed ]]; then
            note "$program_name: $attach_name is stopped: $(service_end "$attach_name")$( ((now > 1)) && echo ", $now times in a row")."
            log_show "$attach_name"
            rm -f -- "$(attached_file "$attach_name")"
            fail "not attached; correct it, and attach it again"
        elif ((now > crashes)); then
            ((now >= 5)) || note "  $attach_name crashed: $(service_end "$attach_name"); starting it again"
            crashes=$now
            stable_at=$(($(now_ms) + 3000))
        elif [[ $fact_state == running ]] && { [[ -z $attach_program ]] || (($(now_ms) > stable_at)); }; then
            break
        elif (($(now_ms) > stable_at + 27000)); then
            log_show "$attach_name"
            fail "$attach_name runs but does not become ready; see: $me logs $attach_name -f"
        fi
        sleep 0.1
    done
    say "Attached $attach_name ($attach_symbol${attach_venue:+ on $attach_venue}). It stays until: $me detach $attach_name"
    suggest "tail --type order --symbol $attach_symbol" "watch the orders in its instrument" "logs $attach_name -f" "watch what it says"
}

# ---- detach ----
cmd_detach() {
    want_help "$@"
    local name
    (($# > 0)) || usage_error "detach needs the name of a strategy; $me strategies lists them"
    [[ -e $(marker_file) ]] || fail "there is no fleet in $home"
    take_lock
    for name in "$@"; do
        if [[ $name == */* || (! -f $(attached_file "$name") && ! -d $(service_dir "$name")) ]]; then
            fail "there is no strategy \"$name\"; attached: $(attached_names | paste -sd ' ')"
        fi
        if [[ ! -f $(attached_file "$name") ]] && ! service_is_strategy "$name"; then
            fail "$name is not a strategy; \"$me restart $name\" restarts it"
        fi
    done
    for name in "$@"; do
        if [[ -f $(attached_file "$name") || -e $(service_dir "$name")/data/attached ]]; then
            say "Detached $name."
        else
            say "Stopped $name; it is in the fleet file, so the next \"$me up\" starts it again."
        fi
        rm -f -- "$(attached_file "$name")"
        if [[ $(fleet_state) == running ]]; then service_remove "$name"; fi
    done
}

# ---- strategies ----
builtin_names() {
    local program
    program=$(binary zvt-strategy) || return 1
    "$program" --list --json | grep -oE '"name": ?"[^"]*", ?"summary"' | cut -d '"' -f 4
}

cmd_strategies() {
    want_help "$@"
    local program name
    program=$(binary zvt-strategy) || exit 1
    case ${1:-} in
    "") ;;
    --json)
        exec "$program" --list --json
        ;;
    *) usage_error "strategies does not know \"$1\"" ;;
    esac
    say "Built in (attach with: $me attach NAME --symbol S --set KEY=VALUE):"
    "$program" --list
    [[ $(fleet_state) == running ]] || return 0
    say ""
    say "In this fleet:"
    while read -r name; do
        service_is_strategy "$name" || continue
        service_facts "$name"
        printf '  %-24s %-10s %s restarts%s\n' "$name" "$fact_state" "$(service_restarts "$name")" \
            "$([[ -e $(service_dir "$name")/data/attached ]] && echo ", attached")"
    done < <(service_names)
    strategies_show_failed
}

# The last lines of strategies that are stopped because they kept crashing.
strategies_show_failed() {
    local name
    while read -r name; do
        service_is_strategy "$name" || continue
        service_facts "$name"
        [[ $fact_state == failed ]] || continue
        note "$name is stopped: $(service_end "$name")."
        log_show "$name" 5
    done < <(service_names)
}
