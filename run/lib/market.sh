# shellcheck shell=bash
# market -- the fleet file and the market a home trades on, decided once and kept.
#
# A log of positions means something only on the market it was made on. So the home remembers the market when its
# first process starts, and a later `up` uses it again or refuses another one with the reason.
#
# Files  HOME/market.env: what was decided; its presence means that the home may have a log.
#        HOME/fleet.zpl: the fleet file as the running fleet uses it.

market_file() { printf '%s' "$home/market.env"; }

# Loads what the home remembers into market_*; empty values when it remembers nothing.
market_load() {
    market_mode='' market_seed='' market_origin_ns='' market_replay='' market_speed='' market_config=''
    if [[ -f $(market_file) ]]; then
        # shellcheck source=/dev/null
        source "$(market_file)"
    fi
}

market_store() {
    local file name
    file=$(market_file)
    for name in market_mode market_seed market_origin_ns market_replay market_speed market_config; do
        printf '%s=%q\n' "$name" "${!name}"
    done >"$file.new" && mv -f -- "$file.new" "$file" || fail "cannot write $file ($(free_space "$home") free)"
}

market_text() {
    if [[ $market_mode == replay ]]; then
        printf 'the recorded market %s at %s' "$market_replay" "$(speed_text)"
    else
        printf 'the synthetic market with seed %s' "$market_seed"
    fi
}

speed_text() {
    if [[ $market_speed == max ]]; then printf 'full speed'; else printf '%sx speed' "$market_speed"; fi
}

# ---- the options of `up` ----
# Checks --seed, --speed and --replay as far as a script can, and makes the paths absolute.
market_check_options() {
    local file
    local -a files=()
    [[ -z $opt_seed || -z $opt_replay ]] || usage_error "--seed is for the synthetic market and --replay for a recorded one; give one of them"
    if [[ -n $opt_seed ]]; then
        [[ $opt_seed =~ ^[0-9]{1,18}$ ]] || usage_error "--seed takes a whole number from 0 to 999999999999999999, not \"$opt_seed\""
        opt_seed=$((10#$opt_seed))
    fi
    if [[ -n $opt_speed && $opt_speed != max ]] &&
        { [[ ! $opt_speed =~ ^[0-9]{1,6}(\.[0-9]{1,6})?$ ]] || [[ ! $opt_speed =~ [1-9] ]]; }; then
        usage_error "--speed takes a factor such as 1, 0.5 or 20, or max; not \"$opt_speed\""
    fi
    market_load
    if [[ -n $opt_speed && -z $opt_replay && $market_mode != replay ]]; then
        usage_error "--speed is for a recorded market; name it with --replay FILE"
    fi
    [[ -n $opt_replay ]] || return 0
    IFS=, read -r -a files <<<"$opt_replay"
    opt_replay=
    for file in "${files[@]}"; do
        [[ -f $file && -r $file ]] || fail "cannot read the recording \"$file\"; --replay takes files separated by commas"
        file=$(realpath -- "$file")
        [[ $file != *,* ]] || fail "the path $file contains a comma, which separates recordings; rename it"
        opt_replay+=${opt_replay:+,}$file
    done
}

# ---- the fleet file ----
# fleet_describe FILE: sets fleet_lines (see `zvt-monitor fleet-file`), or fails with file, line and reason.
fleet_describe() {
    local monitor output
    monitor=$(binary zvt-monitor) || exit 1
    [[ -r $1 ]] || fail "cannot read the fleet file $1"
    output=$("$monitor" fleet-file "$1") || exit 1
    mapfile -t fleet_lines <<<"$output"
    fleet_check_names "$1"
}

# Names become names of processes, folders and sockets.
fleet_check_names() {
    local name
    local -A taken=([postgres]=1 [risk]=1 [executor]=1 [portfolio]=1 [orchestrator]=1 [orchestrator-2]=1 [replayer]=1 [checkpointer]=1)
    while read -r name; do
        taken[venue-$name]=1 taken[gateway-$name]=1
        [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9_-]*$ ]] || fail "$1: a venue cannot be named \"$name\"; use letters, digits, - and _"
    done < <(fleet_fields venue | cut -f 1)
    while read -r name; do
        [[ $name =~ ^[A-Za-z0-9][A-Za-z0-9_-]*$ ]] || fail "$1: a strategy cannot be named \"$name\"; use letters, digits, - and _"
        [[ -z ${taken[$name]:-} ]] || fail "$1: the name \"$name\" of a strategy is taken by another process; choose another"
        taken[$name]=1
    done < <(fleet_fields strategy | cut -f 1)
}

# fleet_fields KIND: the lines of that kind without their first field.
fleet_fields() {
    local line
    for line in "${fleet_lines[@]}"; do
        [[ $line == "$1"$'\t'* ]] && printf '%s\n' "${line#*$'\t'}"
    done
    return 0
}

# The venues that this market runs: all of them, or in a replay those that take part.
fleet_venues() {
    local name replay
    while IFS=$'\t' read -r name replay; do
        [[ $market_mode == replay && $replay == no ]] || printf '%s\n' "$name"
    done < <(fleet_fields venue)
}

# Sets recorded_symbols: those of the fleet file's instruments that a recorded market has quotes of, one a line.
market_load_symbols() {
    local venue
    recorded_symbols=
    [[ $market_mode == replay ]] || return 0
    venue=$(binary zvt-venue) || exit 1
    recorded_symbols=$("$venue" --venue "$(fleet_venues | head -n 1)" --config "$home/fleet.zpl" --replay "$market_replay" --symbols) ||
        fail "the recording cannot be read (see above)"
}

# ---- deciding ----
# Sets market_* and fleet_lines from the options and from what the home remembers.
market_resolve() {
    local seed _step
    market_load
    market_refuse_other
    if [[ -n $opt_config ]]; then
        market_config=$(realpath -- "$opt_config") || fail "cannot read the fleet file $opt_config"
    fi
    [[ -n $market_config ]] || market_config=$checkout/run/fleet.zpl
    fleet_describe "$market_config"
    market_refuse_smaller_fleet
    IFS=$'\t' read -r seed _step < <(fleet_fields market)
    if [[ -n $opt_replay ]]; then
        market_mode=replay market_replay=$opt_replay
    elif [[ -z $market_mode ]]; then
        market_mode=synthetic
    fi
    if [[ $market_mode == replay ]]; then
        market_speed=${opt_speed:-${market_speed:-1}}
        [[ -n $(fleet_venues) ]] || fail "no venue of $market_config takes part in a recorded market; give one of them \"replay = yes\""
    else
        market_note_other_seed "$seed"
        market_seed=${opt_seed:-${market_seed:-$seed}}
        market_origin_ns=${market_origin_ns:-$(date +%s)000000000}
    fi
}

# Refuses options that name another market than the home remembers.
market_refuse_other() {
    local reason
    reason=$(market_difference) || return 0
    fail "$home holds positions of $(market_text); $reason. Stop it and use \"$me down --wipe\" to begin anew, or another --home DIR"
}

# Prints how the options differ from the home's market; false when they do not.
market_difference() {
    if [[ -z $market_mode ]]; then
        return 1
    elif [[ -n $opt_replay && $opt_replay != "$market_replay" ]]; then
        printf 'it cannot go on with the recorded market %s' "$opt_replay"
    elif [[ -n $opt_seed && $market_mode == replay ]]; then
        printf 'it cannot go on with a synthetic market'
    elif [[ -n $opt_seed && $opt_seed != "$market_seed" ]]; then
        printf 'it cannot go on with seed %s' "$opt_seed"
    else
        return 1
    fi
}

# Everything that the log may speak of has to be in the new fleet file too.
market_refuse_smaller_fleet() {
    local -a new=("${fleet_lines[@]}")
    local line name wanted
    [[ -n $market_mode && -f $home/fleet.zpl ]] || return 0
    fleet_describe "$home/fleet.zpl"
    for line in "${fleet_lines[@]}"; do
        case $line in
        fleet*) wanted=$'*\t'${line##*$'\t'} name="shard ${line##*$'\t'}" ;;
        instrument*) wanted=$line name="instrument ${line#*$'\t'}" ;;
        venue*) wanted=${line%$'\t'*} name="venue ${wanted#*$'\t'}" wanted+=$'\t*' ;;
        *) continue ;;
        esac
        # shellcheck disable=SC2053 # a pattern
        for found in "${new[@]}"; do [[ $found == $wanted ]] && continue 2; done
        fail "$market_config has no $name, which the log in $home speaks of; put it back, or use another --home DIR"
    done
    fleet_lines=("${new[@]}")
}

market_has_ended() { [[ $market_mode == replay ]] && grep -qsx ended -- "$home"/state/*.position; }

# A recording that has ended stays ended, however often its venue is started. Naming it again plays it again.
market_replay_again() {
    market_has_ended || return 0
    if [[ -n $opt_replay ]]; then
        rm -f -- "$home"/state/*.position
        note "The recorded market had ended; it is played again from its beginning."
    else
        note "The recorded market has ended: orders will be refused. To play it again: $me up --replay $(printf '%q' "$market_replay")"
    fi
}

market_note_other_seed() {
    if [[ -z $opt_seed && -n $market_seed && $market_seed != "$1" ]]; then
        note "This home keeps its market (seed $market_seed); the fleet file's seed $1 is for new homes."
    fi
}

# Files that lie in a home which was moved have moved along; so has the checkout's fleet file when the home is in it.
market_adopt() {
    market_load
    [[ -n $market_mode ]] || return 0
    if [[ $market_config == "$home_made"/* ]]; then market_config=$home/${market_config#"$home_made"/}; fi
    if [[ ! -e $market_config ]] && cmp -s -- "$checkout/run/fleet.zpl" "$home/fleet.zpl"; then market_config=$checkout/run/fleet.zpl; fi
    market_replay=,$market_replay
    market_replay=${market_replay//",$home_made/"/",$home/"}
    market_replay=${market_replay#,}
    market_store
}
