# shellcheck shell=bash
# services -- the s6 service folders, the supervisor, and what it knows about each process.
#
# Files  HOME/s6/services/NAME: the service; HOME/s6/scan/NAME: a link to it, which is what the supervisor scans.
#        HOME/s6/services/NAME/data/runs: when the last runs began, worked and ended (monitor/runs.h); data/starts: how
#        many there were.
#        HOME/s6/environment: what every process is started with. All of it is made anew by every `up`.
#        HOME/log/NAME: rotated logs, the newest in `current`.
#
# Facts about s6 that this rests on: a killed s6-supervise is replaced after a second and leaves its process running
# meanwhile, so the next start of a service first ends what is left of the one before; Postgres and attached programs run
# under `setpriv --pdeathsig KILL` and go down with it. A run that ends with 100 is restarted like any other, so
# `finish` answers 125, which means: down until told otherwise.

services_dir() { printf '%s' "$home/s6/services"; }
scan_dir() { printf '%s' "$home/s6/scan"; }
service_dir() { printf '%s/%s' "$(services_dir)" "$1"; }

# ---- environment ----
environment_write() {
    local file=$home/s6/environment endpoints
    endpoints=$(endpoint_exports) || exit 1
    (
        umask 077
        {
            echo "# Made by run/fleet."
            printf 'export %s\n' "ZVT_READY_FD=3"
            printf '%s\n' "$endpoints"
        } >"$file"
    ) || fail "cannot write $file ($(free_space "$home") free)"
}

# The lines that `fleet env` prints and that every process is started with.
endpoint_exports() {
    local name venue markets='' shard
    shard=$(fleet_fields fleet | cut -f 2)
    while read -r venue; do
        markets+=${markets:+,}ipc://$runtime/market.$venue
    done < <(fleet_venues)
    local -A values=(
        [ZVT_HOME]=$home [ZVT_RUNTIME]=$runtime [ZVT_FLEET]=$home/fleet.zpl [DATABASE_URL]=$database_url
        [ZVT_SHARD]=$shard [ZVT_ENDPOINT_MARKET]=$markets [ZVT_ENDPOINT_SIGNALS]=ipc://$runtime/signals
        [ZVT_ENDPOINT_EVENTS]=ipc://$runtime/events [ZVT_ENDPOINT_REQUEST]=ipc://$runtime/request
        [ZVT_ENDPOINT_REPLAY]=ipc://$runtime/replay [ZVT_ENDPOINT_PORTFOLIO]=ipc://$runtime/portfolio
    )
    for name in ZVT_HOME ZVT_RUNTIME ZVT_FLEET DATABASE_URL ZVT_SHARD ZVT_ENDPOINT_MARKET ZVT_ENDPOINT_SIGNALS \
        ZVT_ENDPOINT_EVENTS ZVT_ENDPOINT_REQUEST ZVT_ENDPOINT_REPLAY ZVT_ENDPOINT_PORTFOLIO; do
        printf 'export %s=%s\n' "$name" "$(quoted "${values[$name]}")"
    done
}

# A word quoted for any shell.
quoted() { printf "'%s'" "${1//\'/\'\\\'\'}"; }

# ---- making services ----
# service_write NAME KIND READY LOGSCRIPT: makes the folder; the run script comes on stdin, without its first lines.
# READY: "fd" when the process signals readiness on descriptor 3.
service_write() {
    local name=$1 kind=$2 ready=$3 stamp=$4 dir
    dir=$(service_dir "$name")
    rm -rf -- "$dir"
    mkdir -p -- "$dir/log" "$dir/data/runs" "$home/log/$name" &&
        { run_prelude && cat; } >"$dir/run" &&
        printf '%s\n' "$kind" >"$dir/data/kind" &&
        echo 0 >"$dir/data/starts" &&
        printf '4096\n' >"$dir/max-death-tally" &&
        finish_script "$kind" >"$dir/finish" &&
        printf '#!/bin/sh\nexec s6-log -d 3 -- %s n5 s4000000 %s\n' "$stamp" "$(quoted "$home/log/$name")" >"$dir/log/run" &&
        printf '3\n' >"$dir/log/notification-fd" &&
        chmod 755 -- "$dir/run" "$dir/finish" "$dir/log/run" ||
        fail "cannot write the service folder $dir ($(free_space "$home") free)"
    if [[ $ready == fd ]]; then printf '3\n' >"$dir/notification-fd"; fi
    case $kind in
    database) printf 'SIGINT\n' >"$dir/down-signal" ;; # fast shutdown: does not wait for clients to leave
    *) printf '8000\n' >"$dir/timeout-kill" ;;         # milliseconds between SIGTERM and SIGKILL
    esac
}

# The first lines of every run script. They note that a run begins, in one of 32 places, and tell the process where to
# note that it works. Builtins of the shell alone, because a fork would cost every restart a millisecond; "1<>" writes
# over what is there, so that a number is never gone in between (it only grows), and no file system waits for a new block.
run_prelude() {
    cat <<'END'
#!/bin/sh
exec 2>&1
read -r run <data/starts
run=$((run + 1))
echo "$run" 1<>data/starts
echo "$run" 1<>"data/runs/start.$((run % 32))"
export ZVT_RUN="$run" ZVT_READY_FILE="$PWD/data/runs/ready.$((run % 32))"
END
    printf '. %s\n' "$(quoted "$home/s6/environment")"
}

# What happens when a process has ended: it is noted, and then nothing (it is started again, once a second at the most), or it stays down.
# Deaths by SIGKILL do not count as crashes: they come from people and from the kernel, not from the program.
# s6-permafailon takes a death by signal for exit code 128 + signal as well: 137 is left out.
finish_script() {
    echo '#!/bin/sh'
    echo '# Arguments: exit code (256: killed by a signal), signal.'
    # shellcheck disable=SC2016 # for the script to expand
    printf '%s\n' 'read -r run <data/starts' 'echo "$run $1 $2" 1<>"data/runs/end.$((run % 32))"'
    echo "[ \"\$1\" = 100 ] && exit 125"
    case $1 in
    program) echo "[ \"\$1\" = 0 ] && exit 125" ;; # an attached program that is done
    esac
    case $1 in
    program | strategy)
        echo "exec s6-permafailon 50 5 1-136,138-255,SIGABRT,SIGBUS,SIGFPE,SIGILL,SIGSEGV,SIGSYS,SIGTRAP true 2>/dev/null" ;;
    esac
}

# daemon_write NAME KIND BINARY ARGS..: a service that is one of our binaries.
daemon_write() {
    local name=$1 kind=$2 path word line
    path=$(binary "$3") || exit 1
    shift 3
    line="exec $(quoted "$path")"
    for word in "$@"; do line+=" $(quoted "$word")"; done
    {
        takeover_script "$(service_dir "$name")"
        printf 'cd /\n%s\n' "$line"
    } | service_write "$name" "$kind" fd ''
}

# Ends what an earlier supervisor of the service in folder DIR has left running, and notes who runs now. A process is
# known by its environment, because its number may be somebody else's by now.
takeover_script() {
    cat <<END
export ZVT_SERVICE=$(quoted "$1")
left() { grep -qszFx -- "ZVT_SERVICE=\$ZVT_SERVICE" "/proc/\${old:-none}/environ"; }
{ read -r old <data/pid; } 2>/dev/null
while left; do kill -KILL "\$old" 2>/dev/null; sleep 0.01; done
echo \$\$ >data/pid
END
}

# Writes every service but the database.
services_write() {
    local venue
    local -a lossless=() market=(--origin "$market_origin_ns" --seed "$market_seed")
    if [[ $market_mode == replay ]]; then market=(--replay "$market_replay" --speed "$market_speed"); fi
    # At full speed the market waits for its subscribers instead of dropping what they are too slow for.
    if [[ $market_mode == replay && $market_speed == max ]]; then lossless=(--lossless); fi
    while read -r venue; do
        daemon_write "venue-$venue" venue zvt-venue --name "venue-$venue" --venue "$venue" "${market[@]}"
        daemon_write "gateway-$venue" gateway zvt-gateway --name "gateway-$venue" --venue "$venue" "${lossless[@]}"
    done < <(fleet_venues)
    daemon_write risk risk zvt-risk --name risk
    daemon_write portfolio portfolio zvt-portfolio --name portfolio
    daemon_write executor executor zvt-executor --name executor
    daemon_write orchestrator orchestrator zvt-orchestrator --name orchestrator
    if [[ $(fleet_fields orchestrator) == yes ]]; then
        daemon_write orchestrator-2 orchestrator zvt-orchestrator --name orchestrator-2 --standby
    fi
    daemon_write replayer replayer zvt-replayer --name replayer
    daemon_write checkpointer checkpointer zvt-checkpointer --name checkpointer
}

# Shows services to the supervisor, all of them at once.
services_link() {
    local name
    for name in "$@"; do
        ln -sfn -- "../services/$name" "$(scan_dir)/$name" || fail "cannot write to $(scan_dir)"
    done
    s6-svscanctl -a "$(scan_dir)" || fail "the supervisor does not answer; see $home/log/supervisor.log"
}

# service_remove NAME: stops it and forgets it.
service_remove() {
    s6-svunlink -t 12000 "$(scan_dir)" "$1" 2>/dev/null
    rm -rf -- "$(service_dir "$1")"
}

# ---- the supervisor ----
supervisor_start() {
    local token
    local -a batch=()
    rm -rf -- "$home/s6"
    mkdir -p -- "$home/s6/scan" "$home/s6/services" && chmod 700 -- "$home/s6" || fail "cannot make $home/s6 ($(free_space "$home") free)"
    token=$(od -An -N 16 -tx1 /dev/urandom | tr -d ' \n')
    printf '%s\n' "$token" >"$(token_file)"
    printf '%s\n' "$runtime" >"$home/runtime"
    read -ra batch <<<"$(batch_words)"
    # In a session of its own, so that Ctrl-C in this terminal does not reach it; setsid -f instead of "&", because a
    # shell makes its background commands ignore interrupts, and everything below would inherit that.
    ZVT_SUPERVISOR=$token setsid -f "${batch[@]}" sh -c 'echo $$ >"$1"; exec s6-svscan -c 4000 -t 0 "$2"' fleet "$home/s6/pid" "$(scan_dir)" \
        </dev/null >>"$home/log/supervisor.log" 2>&1 {lock_fd}>&-
    wait_until 5000 supervisor_listens || fail "the supervisor did not start; see $home/log/supervisor.log"
}

supervisor_listens() { [[ -p $(scan_dir)/.s6-svscan/control && $(fleet_state) == running ]]; }

# ---- what s6 knows ----
# Names of the services, the fleet's own processes first. The service folders in a copied home are the original's.
service_names() {
    local dir
    [[ $home_kind != copy ]] || return 0
    for dir in "$(services_dir)"/*/; do
        [[ -d $dir ]] && basename -- "$dir"
    done | sort_services
}

# Sorts names as the pipeline runs: database, market, order path, strategies.
sort_services() {
    local name kind rank
    while read -r name; do
        kind=$(service_kind "$name")
        case $kind in
        database) rank=0 ;; venue) rank=1 ;; gateway) rank=2 ;; risk) rank=3 ;; executor) rank=4 ;;
        portfolio) rank=5 ;; orchestrator) rank=6 ;; replayer) rank=7 ;; checkpointer) rank=8 ;; *) rank=9 ;;
        esac
        printf '%s %s\n' "$rank" "$name"
    done | sort | cut -d ' ' -f 2
}

service_kind() { cat -- "$(service_dir "$1")/data/kind" 2>/dev/null || echo unknown; }
service_is_strategy() { [[ $(service_kind "$1") == strategy || $(service_kind "$1") == program ]]; }

# service_facts NAME: sets fact_up fact_wanted fact_ready fact_pid fact_exit fact_seconds fact_state.
service_facts() {
    local fields signal
    fields=$(s6-svstat -o up,wantedup,ready,pid,exitcode,signal,updownfor "$(service_dir "$1")" 2>/dev/null) || fields="false true false -1 -1 NA 0"
    read -r fact_up fact_wanted fact_ready fact_pid fact_exit signal fact_seconds <<<"$fields"
    # A program that cannot signal readiness is ready when it runs.
    if [[ $fact_up == true && ! -e $(service_dir "$1")/notification-fd ]]; then fact_ready=true; fi
    if [[ $fact_up == true && $fact_ready == true ]]; then
        fact_state=running
    elif [[ $fact_up == true ]]; then
        fact_state=starting
    elif [[ $fact_wanted == true ]]; then
        fact_state=restarting
    elif [[ $fact_exit == 0 && $(service_kind "$1") == program ]]; then
        fact_state=finished
    elif [[ $fact_exit == 0 || $signal =~ ^SIG(TERM|INT|KILL)$ ]]; then
        fact_state=stopped
    else
        fact_state=failed
    fi
}

# After service_facts NAME: what s6 could not note, because the disk was full, is what the kernel says. `unnoted`: it runs,
# and s6 tells of an earlier run.
service_facts_check() {
    [[ $fact_up == true ]] || return 0
    service_has_pid "$fact_pid" && return
    fact_pid=$(grep -slzFx -- "ZVT_SERVICE=$(service_dir "$1")" /proc/[0-9]*/environ | cut -d / -f 3 | head -n 1)
    fact_ready=false fact_seconds=0
    if [[ -z $fact_pid ]]; then
        fact_up=false fact_pid=-1 fact_state=restarting
    else
        fact_state=unnoted fact_seconds=$(process_seconds "$fact_pid")
    fi
}

# How long a process has lived. Its name holds no blank: it is one of ours.
process_seconds() {
    local now began
    read -r now _ </proc/uptime
    began=$(cut -d ' ' -f 22 "/proc/$1/stat" 2>/dev/null) || began=0
    echo "$((${now%.*} - began / $(getconf CLK_TCK)))"
}

# It is ours, or s6-supervise's child: an attached program may have written over its environment.
service_has_pid() {
    pid_is_ours "$1" || pid_is_ours "$(sed -n 's/^PPid:[[:space:]]*//p' "/proc/$1/status" 2>/dev/null)"
}

# How often it has ended since `up`. After service_facts NAME.
service_restarts() {
    local starts=0
    read -r starts 2>/dev/null <"$(service_dir "$1")/data/starts"
    if [[ $fact_up == true ]]; then starts=$((starts - 1)); fi
    echo "$((starts < 0 ? 0 : starts))"
}

# service_asked NAME: notes that the end of the run that goes on was asked for.
service_asked() {
    local dir run
    dir=$(service_dir "$1")/data
    read -r run <"$dir/starts" && echo "$run" >"$dir/runs/asked.$((run % 32))"
}

# How a failed process ended, in words.
service_end() {
    local last
    last=$(s6-svdt -n 1 "$(service_dir "$1")" 2>/dev/null)
    case $last in
    *"exitcode 100") echo "its configuration or environment is wrong (exit code 100)" ;;
    *exitcode*) echo "it ended with exit code ${last##* }" ;;
    *signal*) echo "it was ended by signal ${last##* }" ;;
    *) echo "it ended" ;;
    esac
}

# log_tail NAME LINES: the last lines it wrote.
log_tail() { tail -n "$2" -- "$home/log/$1/current" 2>/dev/null; }
log_show() {
    note "--- the last lines of $1:"
    log_tail "$1" "${2:-8}" | sed 's/^/    /' >&2
}

# ---- waiting for readiness ----
# services_wait SECONDS NAME..: true when all are ready. Says what is awaited after two seconds, gives up at once on a
# process that stays down or that has crashed five times, and shows its last lines.
services_wait() {
    local end said name said_at
    local -a waiting
    end=$(($(now_ms) + $1 * 1000)) said='' said_at=$(($(now_ms) + 2000))
    shift
    waiting=("$@")
    while services_pending; do
        if (($(now_ms) > end)); then
            note "$program_name: not ready in time: ${waiting[*]}"
            for name in "${waiting[@]}"; do log_show "$name"; done
            return 1
        fi
        if (($(now_ms) > said_at)) && [[ ${waiting[*]} != "$said" ]]; then
            note "  waiting for ${waiting[*]}"
            said=${waiting[*]}
        fi
        sleep 0.05
    done
    ((${#waiting[@]} == 0))
}

# True when no process is on its way up.
services_settled() {
    local name
    while read -r name; do
        service_facts "$name"
        [[ $fact_state =~ ^(running|finished|failed|stopped)$ ]] || return 1
    done < <(service_names)
}

# Drops the ready ones from `waiting`; false when none is left, or when one of them has failed (it stays in the list).
services_pending() {
    local name
    local -a still=()
    for name in "${waiting[@]}"; do
        service_facts "$name"
        [[ $fact_state == running || $fact_state == finished ]] && continue
        if [[ $fact_state == failed ]] || (($(s6-svdt "$(service_dir "$name")" 2>/dev/null | wc -l) >= 5)); then
            note "$program_name: $name does not start: $(service_end "$name")."
            log_show "$name"
            waiting=("$name")
            return 1
        fi
        still+=("$name")
    done
    waiting=("${still[@]}")
    ((${#waiting[@]} > 0))
}
