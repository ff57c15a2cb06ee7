# shellcheck shell=bash
# common -- words, paths, locks and small checks that every command shares.
#
# Sets  home, key, runtime, pg_socket_dir, token_file: where this fleet lives.

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

# ---- where the fleet lives ----
default_home() {
    if [[ -w $checkout && -O $checkout ]]; then
        printf '%s' "$checkout/var"
    else
        printf '%s' "${XDG_STATE_HOME:-${HOME:-/tmp}/.local/state}/zvt"
    fi
}

resolve_home() {
    home=$(realpath -m -- "${ZVT_HOME:-$(default_home)}") || fail "cannot make sense of the home folder \"${ZVT_HOME:-}\""
    [[ $home != *$'\n'* ]] || fail "the home folder's name must not contain a line break"
    [[ $home != / ]] || fail "the root folder cannot be a fleet's home"
    key=$(printf '%s' "$home" | sha256sum)
    key=${key:0:12}
    runtime=$(runtime_path)
    pg_socket_dir=/tmp/zvt-$key.pg # apart from the runtime folder: Postgres may run as another user
    export ZVT_HOME=$home ZVT_RUNTIME=$runtime
    export ZVT_PROGRAM=$0
    export ZVT_FLEET=$home/fleet.zpl
    [[ -f $ZVT_FLEET ]] || ZVT_FLEET=$checkout/run/fleet.zpl
}

# A short folder for sockets: ipc paths over 107 bytes cannot be bound. What `up` chose stays until `down`, because
# XDG_RUNTIME_DIR differs between logins.
runtime_path() {
    local xdg=${XDG_RUNTIME_DIR:-}
    if [[ -s $home/runtime ]]; then
        cat -- "$home/runtime"
    elif [[ -n $xdg && -d $xdg && -O $xdg && ${#xdg} -le 48 && $(stat -c %a -- "$xdg") == 700 ]]; then
        printf '%s/zvt-%s' "$xdg" "$key"
    else
        printf '/tmp/zvt-%s' "$key"
    fi
}

# private_dir DIR: makes a folder that only we can enter, or refuses one that somebody else made.
private_dir() {
    mkdir -m 700 -- "$1" 2>/dev/null
    [[ -d $1 && ! -L $1 ]] || fail "cannot make the folder $1; is something else in its place?"
    [[ -O $1 ]] || fail "the folder $1 belongs to another user; remove it, or use another --home"
    chmod 700 -- "$1" || fail "cannot protect the folder $1"
}

marker_file() { printf '%s' "$home/.zvt-fleet"; }

# Opens the home for a command that changes it: makes it when it is missing, and never takes over a folder that holds
# something else.
home_open() {
    local probe
    if [[ -e $home && ! -d $home ]]; then fail "$home is not a folder; name another with --home DIR"; fi
    if [[ -d $home && ! -e $(marker_file) && -n $(ls -A -- "$home" 2>/dev/null) ]]; then
        fail "$home holds files that no fleet made; name an empty or new folder with --home DIR"
    fi
    if [[ -d $home && ! -O $home ]]; then
        fail "$home belongs to $(stat -c %U -- "$home"); run this as that user, or use another --home DIR"
    fi
    # The marker comes first: an interrupted command leaves a home, not a folder of somebody's files.
    { mkdir -p -- "$home" && { [[ -e $(marker_file) ]] || say "This folder is the home of a fleet; run/fleet down --wipe deletes it." >"$(marker_file)"; } &&
        mkdir -p -- "$home/log" "$home/state"; } 2>/dev/null ||
        fail "cannot write to $home; make room or give permission, or use another --home DIR"
    probe=$home/state/.probe
    { head -c 65536 /dev/zero >"$probe"; } 2>/dev/null || {
        rm -f -- "$probe"
        fail "cannot write to $home ($(free_space "$home") free); make room there, or use another --home DIR"
    }
    rm -f -- "$probe"
    # Postgres, running as a user of its own when we are root, must be able to pass through the home to its folder.
    chmod "$(am_root && echo 711 || echo 700)" -- "$home"
    chmod 700 -- "$home/log" "$home/state"
}

free_space() { df -h --output=avail -- "$1" 2>/dev/null | tail -n 1 | tr -d ' '; }

# One command at a time changes a home. The lock ends with this process; nothing that is started may inherit it.
take_lock() {
    exec {lock_fd}>"$home/lock" || fail "cannot open $home/lock"
    flock -n "$lock_fd" && return
    note "Another fleet command is at work in $home; waiting for it."
    flock -w 600 "$lock_fd" || fail "the other command did not end; see the process that holds $home/lock"
}

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
# Every process of a fleet inherits ZVT_SUPERVISOR, a random token made by `up`: whatever carries it was started by
# this fleet, whatever does not was not. (A zombie carries nothing.)
token_file() { printf '%s' "$home/s6/token"; }

fleet_pids() {
    local token
    token=$(cat -- "$(token_file)" 2>/dev/null) || return 0
    [[ -n $token ]] || return 0
    grep -slzx -- "ZVT_SUPERVISOR=$token" /proc/[0-9]*/environ | cut -d / -f 3
}

pid_is_ours() {
    local token
    token=$(cat -- "$(token_file)" 2>/dev/null) || return 1
    [[ -n $1 && -n $token ]] && grep -qszx -- "ZVT_SUPERVISOR=$token" "/proc/$1/environ"
}

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

state_text() {
    case $1 in
    running) echo "running" ;;
    broken) echo "running without its supervisor (\"$me up\" repairs it, \"$me down\" stops it)" ;;
    *) if [[ -e $(marker_file) ]]; then echo "stopped"; else echo "not there yet"; fi ;;
    esac
}

# For commands that change what the supervisor runs.
need_running() {
    local state
    state=$(fleet_state)
    [[ $state == running ]] && return
    if [[ $state == broken ]]; then fail "the fleet in $home is $(state_text broken)"; fi
    fail "the fleet in $home is $(state_text "$state"); start it with: $me up"
}

# For commands that talk to processes: those work without the supervisor, so people must be able to stop them then too.
need_processes() {
    if [[ $(fleet_state) != broken ]]; then
        need_running
    else
        note "$program_name: the supervisor is gone, nothing restarts what ends; \"$me up\" repairs it (this command works meanwhile)"
    fi
}
