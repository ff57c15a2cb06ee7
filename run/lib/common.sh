# shellcheck shell=bash
# common -- words, locks, waiting and small checks that every command shares, and which processes are this fleet's.

say() { printf '%s\n' "$*"; }
note() { printf '%s\n' "$*" >&2; }
fail() {
    printf '%s: %s\n' "$program_name" "$*" >&2
    exit 1
}
usage_error() {
    printf '%s: %s\n' "$program_name" "$*" >&2
    exit 2
}

# suggest COMMAND TEXT COMMAND TEXT ..: what to try next.
suggest() {
    while (($# > 1)); do
        printf '  %-66s %s\n' "$me $1" "$2"
        shift 2
    done
}

# need_value OPTION COUNT: refuses an option whose value is missing.
need_value() { (($2 > 1)) || usage_error "$1 needs a value; see $me help ${command_name:-}"; }

# want_help ARGS..: prints the command's line of the table when --help is among the arguments.
want_help() {
    local word
    for word in "$@"; do
        if [[ $word == --help || $word == -h ]]; then
            cmd_help "$command_name"
            exit 0
        fi
    done
}

owner_of() { stat -c %u -- "$1" 2>/dev/null; }
am_root() { ((EUID == 0)); }

# One line of text as a JSON string.
json_string() {
    local text=$1 out='' char i
    for ((i = 0; i < ${#text}; i++)); do
        char=${text:i:1}
        case $char in
        '"') out+='\"' ;;
        \\) out+='\\' ;;
        $'\n') out+='\n' ;;
        $'\t') out+='\t' ;;
        [[:cntrl:]]) out+=$(printf '\\u%04x' "'$char") ;;
        *) out+=$char ;;
        esac
    done
    printf '"%s"' "$out"
}

free_space() { df -h --output=avail -- "$1" 2>/dev/null | tail -n 1 | tr -d ' '; }

# ---- waiting ----
now_ms() { printf '%s' "$((${EPOCHREALTIME/[.,]/} / 1000))"; }

# wait_until MILLISECONDS COMMAND..: true as soon as the command succeeds, false when the time is over.
wait_until() {
    local end=$(($(now_ms) + $1))
    shift
    until "$@"; do
        (($(now_ms) < end)) || return 1
        sleep 0.05
    done
}

# ---- processes of this fleet ----
# Every process of a fleet inherits ZVT_SUPERVISOR, a random token made by `up`, and ZVT_HOME: whatever carries both was
# started by this fleet, whatever does not was not. (A zombie carries nothing.) A copied home has a token too, but
# whatever carries that is the original's.
token_file() { printf '%s' "$home/s6/token"; }

# Those of the files, which are environments of processes, that are of this fleet.
environs_of_fleet() {
    local token
    [[ $home_kind != copy ]] || return 1
    token=$(cat -- "$(token_file)" 2>/dev/null) || return 1
    [[ -n $token ]] || return 1
    grep -slzFx -- "ZVT_SUPERVISOR=$token" "$@" | xargs -r grep -slzFx -- "ZVT_HOME=$home_made"
}

fleet_pids() { environs_of_fleet /proc/[0-9]*/environ | cut -d / -f 3; }
pid_is_ours() { [[ -n $1 && -n $(environs_of_fleet "/proc/$1/environ") ]]; }

# running: the supervisor lives. broken: it is gone, but processes of it are left. down: nothing is left.
fleet_state() {
    if pid_is_ours "$(cat -- "$home/s6/pid" 2>/dev/null)"; then
        echo running
    elif [[ -n $(fleet_pids) ]]; then
        echo broken
    else
        echo down
    fi
}

# The words after "the fleet in HOME is".
state_text() {
    local lost
    if [[ $1 != down ]] && lost=$(sockets_lost); then
        printf '%s' "running, but the folder of its sockets, $lost, was removed, so that nothing reaches its processes. What to do: $me down, then $me up"
        return
    fi
    case $1 in
    running) echo "running" ;;
    broken) echo "running without its supervisor (\"$me up\" repairs it, \"$me down\" stops it)" ;;
    *) if [[ -e $(marker_file) ]]; then echo "stopped"; else echo "not there yet"; fi ;;
    esac
}

# Prints which folder of sockets is gone from under a fleet that runs, as something that cleans /tmp does it; false when
# none is.
sockets_lost() {
    if [[ ! -d $runtime ]]; then
        printf '%s' "$runtime"
    elif [[ -d $(service_dir postgres) && ! -d $pg_socket_dir ]]; then
        printf '%s' "$pg_socket_dir"
    else
        return 1
    fi
}

# Prints what a command begins with to be a batch job (SCHED_BATCH), as the fleet's processes are: who is woken lets the CPU's present
# task go on, so that more is gathered until it runs. Nothing where that is not allowed.
batch_words() { if chrt -b 0 true 2>/dev/null; then printf 'chrt -b 0'; fi; }

# For commands that change what the supervisor runs.
need_running() {
    local state
    home_refuse_copy
    state=$(fleet_state)
    if [[ $state == down ]]; then fail "the fleet in $home is $(state_text down); start it with: $me up"; fi
    if [[ $state == broken ]] || sockets_lost >/dev/null; then fail "the fleet in $home is $(state_text "$state")"; fi
}

# For commands that talk to processes: those work without the supervisor, so people must be able to stop them then too.
need_processes() {
    if [[ $(fleet_state) != broken ]] || sockets_lost >/dev/null; then
        need_running
    else
        note "$program_name: the supervisor is gone, nothing restarts what ends; \"$me up\" repairs it (this command works meanwhile)"
    fi
}
