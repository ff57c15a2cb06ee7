# shellcheck shell=bash
# home -- where the fleet lives, and whether its home is still the folder it was made as.
#
# A home holds absolute paths, a token and a pid. In a copy all of these are the original's; so every home notes where it
# was made, and what it says of processes and of a database is believed there only.
#
# Sets   home, home_made, home_kind, key, runtime, pg_socket_dir.
# Files  HOME/.zvt-fleet: marks a home; "home=PATH" is where it was made. A home that does not say so is taken to have
#        been made where its private Postgres is.
#
# home_kind  own:   the home is where it was made, or a new one.
#            moved: nothing is where it was made. Until `up` adopts it, it keeps the names that follow from its old path:
#                   processes that still run, and their sockets, have these.
#            copy:  the original is still there. It has no processes, and no database but what lies inside it.

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
    home_identify
    if [[ $home_kind == moved ]]; then key=$(path_key "$home_made"); else key=$(path_key "$home"); fi
    runtime=$(runtime_path)
    pg_socket_dir=/tmp/zvt-$key.pg # apart from the runtime folder: Postgres may run as another user
    export ZVT_HOME=$home ZVT_RUNTIME=$runtime
    export ZVT_PROGRAM=$0
    export ZVT_FLEET=$home/fleet.zpl
    [[ -f $ZVT_FLEET ]] || ZVT_FLEET=$checkout/run/fleet.zpl
}

# path_key PATH: what stands for a home in names outside of it.
path_key() {
    local sum
    sum=$(printf '%s' "$1" | sha256sum)
    printf '%s' "${sum:0:12}"
}

# A short folder for sockets: ipc paths over 107 bytes cannot be bound. What `up` chose stays until `down`, because
# XDG_RUNTIME_DIR differs between logins.
runtime_path() {
    local xdg=${XDG_RUNTIME_DIR:-}
    if [[ -s $home/runtime && $home_kind != copy ]]; then
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

# ---- which home it is ----
marker_file() { printf '%s' "$home/.zvt-fleet"; }

# Notes in the marker that the home was made here, or has been adopted here.
marker_store() {
    local file
    file=$(marker_file)
    printf '%s\nhome=%s\n' "This folder is the home of a fleet; run/fleet down --wipe deletes it." "$home" >"$file.new" && mv -f -- "$file.new" "$file"
}

# Sets home_made and home_kind. The same folder under another name (a mount) is called by the name it was made as.
home_identify() {
    home_made=$(sed -n '2s/^home=//p' "$(marker_file)" 2>/dev/null)
    [[ -n $home_made ]] || home_made=$(home_made_by_database)
    if [[ $home_made == "$home" ]]; then
        home_kind=own
    elif [[ -n $home_made && $home_made -ef $home ]]; then
        home=$home_made home_kind=own
    elif [[ -z $home_made ]] || is_home "$home_made"; then
        home_kind=copy
    else
        home_kind=moved
    fi
}

# Whether a folder is a fleet's home; one that cannot be looked into may be one.
is_home() { [[ -e $1/.zvt-fleet || (-d $1 && ! -x $1) ]]; }

# Where a home was made that does not say so: beside its private Postgres. Prints nothing where that is a folder of
# another home in /var/lib/zvt, whose name does not tell the path.
home_made_by_database() {
    local data
    data=$(database_data_stored)
    case $data in
    "" | "$home/postgres" | "$(pg_system_data "$(path_key "$home")")") printf '%s' "$home" ;;
    */postgres) printf '%s' "${data%/postgres}" ;;
    esac
}

# home_copy_text: what a copy is, and what to do about it.
home_copy_text() {
    local data
    data=$(database_data_stored)
    if [[ -z $home_made ]]; then
        printf '%s' "$home is not where it was made: its log is in $data, which belongs to another folder.
  What to do: move it back to where it was made, run \"up\" and \"down\" there once, and then move it."
        return
    fi
    printf '%s' "$home is a copy of the home $home_made, which is still there: both would go on with the same log and the same accounts.
  What to do: for another fleet, use a new folder with --home DIR; to have this one elsewhere, stop it and move it (mv) instead"
    if [[ -z $data || $data == "$home_made/postgres" ]]; then
        printf '%s' "; to
  give the original up, stop and delete it ($0 --home $(printf '%q' "$home_made") down --wipe): what is here is then taken as moved"
    fi
    printf '.'
}

home_refuse_copy() { [[ $home_kind != copy ]] || fail "$(home_copy_text)"; }

# ---- using a home ----
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
    { mkdir -p -- "$home" && : >>"$(marker_file)" && mkdir -p -- "$home/log" "$home/state"; } 2>/dev/null ||
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

# One command at a time changes a home. The lock ends with this process; nothing that is started may inherit it. Who had
# to wait looks again: the other command may have adopted the home.
take_lock() {
    exec {lock_fd}>"$home/lock" || fail "cannot open $home/lock"
    flock -n "$lock_fd" && return
    note "Another fleet command is at work in $home; waiting for it."
    flock -w 600 "$lock_fd" || fail "the other command did not end; see the process that holds $home/lock"
    resolve_home
}

# Makes this folder the one that the home was made as, before anything is started in it. May be interrupted: the marker
# changes last, and what is done already is passed over.
home_adopt() {
    if [[ $home_kind == moved ]]; then
        [[ $(fleet_state) == down ]] || fail "$home was moved here from $home_made while its fleet ran; stop that first: $me down"
        database_adopt
        market_adopt
        runtime_remove # what a crash of the machine has left has the old path's name
        note "This home was moved here from $home_made; it goes on here with its log."
    elif [[ $(sed -n '2s/^home=//p' "$(marker_file)") == "$home" ]]; then
        return
    fi
    marker_store || fail "cannot write $(marker_file) ($(free_space "$home") free)"
    resolve_home
}
