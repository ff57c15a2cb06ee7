# shellcheck shell=bash
# verify -- holds the log against the live state of the processes and against the venues' own ledgers.
#
# Every process that folds the log notes a digest of its durable state at a barrier event. The same binary folds the
# log into a fresh core and must come to the same digest. The rest is asked of the database (verify.sql).

cmd_verify() {
    want_help "$@"
    local opt_json=no archives=no opt_to='' seq problem
    while (($# > 0)); do
        case $1 in
        --json) opt_json=yes ;;
        --archives) archives=yes ;;
        *) usage_error "verify takes --json and --archives, not \"$1\"" ;;
        esac
        shift
    done
    need_processes
    market_load
    database_load
    fleet_describe "$home/fleet.zpl"
    checks=()
    if verify_barrier; then
        add_check "log: a barrier can be written" ok "seq $seq"
        verify_digest orchestrator zvt-orchestrator
        if [[ $(fleet_fields orchestrator) == yes ]]; then verify_digest orchestrator-2 zvt-orchestrator; fi
        verify_digest risk zvt-risk
        verify_digest portfolio zvt-portfolio
        verify_database
    else
        add_check "log: a barrier can be written" FAILED "$problem"
    fi
    if [[ $archives == yes ]]; then verify_archives; fi
    verify_doing ''
    if [[ $opt_json == yes ]]; then verify_json; fi
    (($(printf '%s\n' "${checks[@]}" | cut -f 2 | grep -cvx ok) == 0))
}

# add_check NAME ok|FAILED DETAIL
add_check() { keep_check "$1"$'\t'"$2"$'\t'"$3"; }

# keep_check LINE: name, result and detail between tabs. A long log takes minutes, so each is told as soon as it is known.
keep_check() {
    local name result detail
    checks+=("$1")
    if [[ $opt_json == yes ]]; then return; fi
    verify_doing ''
    IFS=$'\t' read -r name result detail <<<"$1"
    printf '%-6s  %-72s %s\n' "$result" "$name" "$detail"
}

# verify_doing WHAT: what goes on, on a terminal, until the next line.
verify_doing() {
    if [[ $opt_json == no && -t 1 ]]; then printf '\r\e[K%s' "${1:+        $1 ..}"; fi
}

# Writes a barrier; sets seq, or problem.
verify_barrier() {
    local monitor answer
    monitor=$(binary zvt-monitor) || exit 1
    answer=$("$monitor" barrier --json 2>&1)
    seq=$(grep -oE '"seq": ?[0-9]+' <<<"$answer" | grep -oE '[0-9]+$')
    problem=${answer//[$'\n\t']/ }
    [[ -n $seq && $seq != 0 ]]
}

# The digest member of an answer such as {"seq": 9, "digest": "..", "items": 3}.
digest_of() { grep -oE '"digest": ?"[^"]*"' <<<"$1" | cut -d '"' -f 4; }

# verify_digest PROCESS BINARY: what it says of its state at the barrier, against what its binary makes of the log.
verify_digest() {
    local live folded='' program items
    program=$(binary "$2") || exit 1
    verify_doing "folding the log as $1"
    wait_until 10000 verify_live_digest "$1" || live=
    folded=$(DATABASE_URL=$database_url "$program" --name "$1" --fold "$seq" 2>>"$home/log/verify.log")
    items=$(grep -oE '"items": ?[0-9]+' <<<"$folded" | grep -oE '[0-9]+$')
    if [[ -z $live ]]; then
        add_check "state: $1 is the fold of the log" FAILED "it gives no digest at seq $seq; see: $me logs $1"
    elif [[ -z $(digest_of "$folded") ]]; then
        add_check "state: $1 is the fold of the log" FAILED "the log could not be folded; see $home/log/verify.log"
    elif [[ $(digest_of "$live") != $(digest_of "$folded") ]]; then
        add_check "state: $1 is the fold of the log" FAILED "live and folded differ at seq $seq; see: $program --fold $seq --dump"
    else
        add_check "state: $1 is the fold of the log" ok "${items:-?} items at seq $seq"
    fi
    if [[ $1 == orchestrator && -n $folded ]]; then verify_memory "$folded"; fi
}

# verify_memory FOLDED: what the orchestrator remembers so that nothing is done twice is too much for a digest of a live process:
# the fold counts what the log took twice, and is held against the stored checkpoint, from which the next run begins.
verify_memory() {
    local doubled at
    doubled=$(grep -oE '"doubled": ?[0-9]+' <<<"$1" | grep -oE '[0-9]+$')
    at=$(grep -oE '"checkpoint": ?[0-9]+' <<<"$1" | grep -oE '[0-9]+$')
    case $doubled in
    0) add_check "log: no command is in it twice" ok "of those that are remembered for so long" ;;
    *) add_check "log: no command is in it twice" FAILED "${doubled:-?} requests, signals or cancels are" ;;
    esac
    case $1 in
    *'"checkpoint_is_fold": true'*) add_check "state: the checkpoint is the fold of the log" ok "of seq $at" ;;
    *'"checkpoint_is_fold": false'*) add_check "state: the checkpoint is the fold of the log" FAILED "of seq $at; see $home/log/verify.log, and delete it" ;;
    *) add_check "state: the checkpoint is the fold of the log" ok "none to compare: the log has none yet, or begins behind it" ;;
    esac
}

# A follower may be a moment behind the barrier. Sets live of the caller.
verify_live_digest() {
    live=$("$(bin_dir)/zvt-monitor" digest "$1" "$seq" 2>/dev/null) && [[ -n $(digest_of "$live") ]]
}

# Every archive file, against what was recorded of it, and the hash chain through them.
verify_archives() {
    local first last result detail
    while IFS=$'\t' read -r first last result detail; do
        add_check "archive: seq $first to $last" "$result" "$detail"
    done < <(archive_check_files 2>>"$home/log/verify.log")
}

readonly checks_end="end of checks"

# The script that psql runs: the ledgers are read by psql itself, at the right moment.
verify_script() {
    echo '\set ON_ERROR_STOP on'
    echo '\set QUIET on'
    # No partition may leave the log (fleet archive) between two questions about it.
    echo 'BEGIN; LOCK TABLE events IN ACCESS SHARE MODE;'
    verify_ledgers ledger_before
    verify_decoded
    cat -- "$checkout/run/lib/verify.sql"
    verify_ledgers ledger_after
    cat -- "$checkout/run/lib/verify_ledger.sql"
    echo "\\echo $checks_end"
}

# verify_ledgers TABLE: statements that load every venue's ledger, one JSON object a row.
verify_ledgers() {
    local venue program command
    program=$(binary zvt-venue) || exit 1
    echo "CREATE TEMP TABLE $1 (line jsonb);"
    while read -r venue; do
        command="$(quoted "$program") --name $(quoted "venue-$venue") --venue $(quoted "$venue") --dump-ledger"
        printf "\\\\copy %s from program '%s' with (format csv, quote e'\\\\x01', delimiter e'\\\\x02')\n" "$1" "${command//\'/\'\'}"
    done < <(fleet_venues)
}

# Statements that load what the events say that are held against the ledgers. SQL can decode a payload too (zvt_event_data), but
# takes minutes for a million events; zvt-monitor decodes the same bytes of the table, which a psql of its own reads for it.
verify_decoded() {
    local monitor rows url=$database_url
    monitor=$(binary zvt-monitor) || exit 1
    # The password is in the environment already.
    if [[ $url =~ ^([a-z]+://[^:/@?]*):([^@/]*)@(.*)$ ]]; then url=${BASH_REMATCH[1]}@${BASH_REMATCH[3]}; fi
    rows="copy (select seq, type, encode(payload, 'hex') from events where seq <= \$VERIFY_SEQ and type in (select type from event_schema
        where event_type in ('order.executed', 'position.updated', 'position.adjusted', 'saga.dead_lettered')) order by seq) to stdout"
    rows="psql -X -q -d $(quoted "$url") -c \"${rows//$'\n'/ }\" | $(quoted "$monitor") decode"
    echo "CREATE TEMP TABLE decoded (seq bigint, type smallint, data jsonb);"
    echo "CREATE TEMP TABLE decoded_to AS SELECT coalesce(max(seq), 0) AS last FROM events;"
    # shellcheck disable=SC2016 # for psql to expand
    printf '%s\n' 'SELECT last AS verify_seq FROM decoded_to \gset' '\setenv VERIFY_SEQ :verify_seq'
    printf "\\\\copy decoded from program '%s' with (format csv, quote e'\\\\x01', delimiter e'\\\\t')\n" "${rows//\'/\'\'}"
}

verify_database() {
    local line problem='' complete=no
    verify_doing "reading ledgers and events"
    while IFS= read -r line; do
        case $line in
        *$'\t'*$'\t'*)
            keep_check "$line"
            verify_doing "asking the database"
            ;;
        "$checks_end") complete=yes ;; # whatever ends psql before, it does not say this
        ?*) problem=$line ;;
        esac
    done < <(verify_script | database_psql "$database_url" 2>&1)
    if [[ $complete == no ]]; then add_check "log and ledgers can be read" FAILED "$problem"; fi
}

verify_json() {
    local name result detail comma='' ok=true
    printf '{"checks": ['
    for line in "${checks[@]}"; do
        IFS=$'\t' read -r name result detail <<<"$line"
        [[ $result == ok ]] || ok=false
        printf '%s{"check": %s, "ok": %s, "detail": %s}' "$comma" "$(json_string "$name")" \
            "$([[ $result == ok ]] && echo true || echo false)" "$(json_string "$detail")"
        comma=', '
    done
    printf '], "ok": %s}\n' "$ok"
}
