# shellcheck shell=bash
# archive -- moves the oldest partitions of the log into files, so that the log keeps a bounded size; and looks after these files.
#
# Nobody may fold what is left as if it were the whole. So first a base is stored in the database: the state of orchestrator,
# risk and portfolio at a barrier, of which the live process and the fold of the log have the same digest, and of which it was
# proven that it can be loaded. From then on whoever has no state of its own begins with the base. Only then partitions
# leave, one transaction each, after their files were synced, read back and checked (zvt-archiver does that).
#
# Files  HOME/archive: the files, unless --to names another folder. HOME/archive.bases: bases on their way into the database.

archive_processes=(orchestrator risk portfolio)

cmd_archive() {
    want_help "$@"
    local opt_keep=10000000 opt_to='' opt_dry=no opt_yes=no opt_json=no opt_what=run opt_restore=''
    archive_options "$@"
    need_processes
    market_load
    database_load
    fleet_describe "$home/fleet.zpl"
    case $opt_what in
    run) archive_run ;;
    list) archive_list ;;
    verify) archive_verify ;;
    restore) archive_restore "$opt_restore" ;;
    esac
}

archive_options() {
    while (($# > 0)); do
        case $1 in
        --keep) need_value "$1" $# && opt_keep=$2 && shift ;;
        --to) need_value "$1" $# && opt_to=$2 && shift ;;
        --restore) need_value "$1" $# && opt_what=restore && opt_restore=$2 && shift ;;
        --dry-run) opt_dry=yes ;;
        --yes) opt_yes=yes ;;
        --json) opt_json=yes ;;
        --list) opt_what=list ;;
        --verify) opt_what=verify ;;
        *) usage_error "archive does not know \"$1\"; see $me archive --help" ;;
        esac
        shift
    done
    [[ $opt_keep =~ ^[0-9]{1,18}$ ]] && ((opt_keep >= 10000)) ||
        usage_error "--keep takes a number of events, 10000 or more: processes that are a moment behind still need them"
    [[ -z $opt_restore || $opt_restore =~ ^[0-9]{1,18}$ ]] || usage_error "--restore takes the seq of an event, not \"$opt_restore\""
    opt_to=${opt_to:+$(realpath -m -- "$opt_to")}
}

# archive_sql SQL [ARG]..: rows of an answer, as the owner of the log.
archive_sql() {
    local sql=$1
    shift
    PGAPPNAME="fleet archive" database_psql "$database_admin_url" -AtX -F $'\t' -v ON_ERROR_STOP=1 "$@" <<<"$sql"
}

# The partitions that may leave: name, first seq, last seq, bytes.
archive_plan() {
    archive_sql "select name, first_seq, last_seq, pg_total_relation_size(name::regclass) from log_partitions
        where last_seq <= (select coalesce(max(last_seq), 0) from event_batches) - $opt_keep order by first_seq"
}

# ---- moving ----
archive_run() {
    local name first last bytes row plan seq problem base_seq='' folder=${opt_to:-$home/archive}
    local -a done_rows=()
    exec {archive_lock_fd}>"$home/archive.lock" || fail "cannot open $home/archive.lock"
    flock -n "$archive_lock_fd" || fail "another \"$me archive\" is at work here"
    plan=$(archive_plan) || fail "the log cannot be looked at (see above)"
    if [[ $opt_dry == yes || -z $plan ]]; then
        archive_tell_plan
        return
    fi
    archive_confirm
    mkdir -p -m 700 -- "$folder" && [[ -w $folder ]] || fail "cannot write to $folder ($(free_space "$(dirname -- "$folder")") free)"
    sync -- "$(dirname -- "$folder")" # the folder itself, too, has to outlive a crash of the machine
    archive_make_base
    while IFS=$'\t' read -r name first last bytes; do
        [[ $opt_json == yes ]] || note "seq $first to $last: writing to $folder"
        row=$(DATABASE_URL=$database_admin_url nice -n 10 "$(binary zvt-archiver)" --partition "$name" --folder "$folder" {archive_lock_fd}>&-) ||
            fail "seq $first to $last stay in the log (see above); what was archived before them is. Run it again when that is put right"
        done_rows+=("$row")
        [[ $opt_json == yes ]] || note "seq $first to $last: $(cut -f 4 <<<"$row")"
    done <<<"$plan"
    archive_tell_done
}

archive_confirm() {
    local answer
    [[ $opt_yes == yes ]] && return
    [[ -t 0 ]] || fail "archive takes events out of the database, into files; without a terminal say archive --yes"
    note "To $folder: seq $(head -n 1 <<<"$plan" | cut -f 2) to $(tail -n 1 <<<"$plan" | cut -f 3), $(wc -l <<<"$plan") partitions."
    read -r -p "Move these events out of the database? Type yes: " answer
    [[ $answer == yes ]] || fail "nothing was archived"
}

archive_tell_plan() {
    local name first last bytes separator=''
    if [[ $opt_json == yes ]]; then
        printf '{"keep": %s, "partitions": [' "$opt_keep"
        while IFS=$'\t' read -r name first last bytes; do
            [[ -n $name ]] || continue
            printf '%s{"first_seq": %s, "last_seq": %s, "bytes": %s}' "$separator" "$first" "$last" "$bytes"
            separator=', '
        done <<<"$plan"
        printf ']}\n'
    elif [[ -z $plan ]]; then
        say "Nothing to archive: no whole partition is older than the last $opt_keep events."
    else
        while IFS=$'\t' read -r name first last bytes; do
            say "seq $first to $last, $((bytes >> 20)) MB in the database"
        done <<<"$plan"
    fi
}

archive_tell_done() {
    local row first last result detail begin separator=''
    begin=$(archive_sql 'select zvt_log_first_seq()')
    if [[ $opt_json == no ]]; then
        say "The log begins with seq $begin now. Keep the files in $folder; \"$me archive --verify\" checks them."
        return
    fi
    printf '{"first_seq": %s, "base_seq": %s, "folder": %s, "archived": [' "$begin" "$base_seq" "$(json_string "$folder")"
    for row in "${done_rows[@]}"; do
        IFS=$'\t' read -r first last result detail <<<"$row"
        printf '%s{"first_seq": %s, "last_seq": %s, "detail": %s}' "$separator" "$first" "$last" "$(json_string "$detail")"
        separator=', '
    done
    printf ']}\n'
}

# ---- the base ----
# Sets base_seq. Nothing leaves before the bases of all three are in the database.
archive_make_base() {
    local process folder=$home/archive.bases
    verify_barrier || fail "no barrier can be written, and without one there is no base: $problem"
    base_seq=$seq
    rm -rf -- "$folder"
    private_dir "$folder"
    for process in "${archive_processes[@]}"; do
        [[ $opt_json == yes ]] || note "base of $process: folding the log up to seq $base_seq"
        archive_fold "$process"
    done
    archive_store_bases || fail "the bases could not be stored in the database (see above); nothing was archived"
    rm -rf -- "$folder"
}

# archive_fold PROCESS: leaves its state in the folder of bases, if the fold and the live process have the same.
archive_fold() {
    local live='' folded
    wait_until 10000 verify_live_digest "$1" || fail "$1 gives no digest at seq $base_seq; nothing was archived. See: $me logs $1"
    folded=$(DATABASE_URL=$database_url nice -n 10 "$(binary "zvt-$1")" --name "$1" --fold "$base_seq" --save "$folder") ||
        fail "the log could not be folded for $1 (see above); nothing was archived"
    [[ $(digest_of "$live") == "$(digest_of "$folded")" ]] ||
        fail "the state of $1 is not the fold of the log at seq $base_seq; nothing was archived. See: $me verify"
    digest_of "$folded" >"$folder/$1.digest"
}

archive_base_file() { if [[ $1 == orchestrator ]]; then printf '%s' "$folder/$1.base"; else printf '%s' "$folder/$1.snapshot"; fi; }

# All or none, and compared with the files before the transaction ends.
archive_store_bases() {
    local process file
    {
        echo 'begin;'
        for process in "${archive_processes[@]}"; do
            file=$(archive_base_file "$process")
            # shellcheck disable=SC2016 # for psql to expand
            printf '\\set data `base64 -w 0 %s`\n' "$(quoted "$file")"
            echo "insert into log_bases (process, seq, digest, data) values ('$process', $base_seq, '$(cat -- "$folder/$process.digest")', decode(:'data', 'base64'));"
            echo "select 1 / (encode(sha256(data), 'hex') = '$(sha256sum -- "$file" | cut -d ' ' -f 1)')::int from log_bases
                where process = '$process' and seq = $base_seq;"
        done
        echo 'commit;'
    } | PGAPPNAME="fleet archive" database_psql "$database_admin_url" -AtqX -v ON_ERROR_STOP=1 >/dev/null
}

# ---- looking at archives ----
archive_list() {
    local format="-P format=aligned -P tuples_only=off -P footer=off"
    if [[ $opt_json == yes ]]; then
        archive_sql "select json_build_object('first_seq', zvt_log_first_seq(),
            'archives', coalesce((select json_agg(json_build_object('first_seq', first_seq, 'last_seq', last_seq, 'file', file, 'bytes', bytes,
                'sha256', encode(sha256, 'hex'), 'batches_file', batches_file, 'batches_sha256', encode(batches_sha256, 'hex'),
                'archived_at', archived_at) order by first_seq) from log_archives), '[]'),
            'bases', coalesce((select json_agg(json_build_object('process', process, 'seq', seq, 'digest', digest, 'bytes', length(data))
                order by process, seq) from log_bases), '[]'))"
        return
    fi
    say "The log begins with seq $(archive_sql 'select zvt_log_first_seq()')."
    # shellcheck disable=SC2086 # options, one word each
    archive_sql "select first_seq, last_seq, pg_size_pretty(bytes) as size, date_trunc('second', archived_at) as archived, file
        from log_archives order by 1;
        select process, seq as base_seq, pg_size_pretty(length(data)::bigint) as size, date_trunc('second', made_at) as made from log_bases order by 1, 2" $format
}

# Every file against what was recorded of it: rows of first seq, last seq, ok or FAILED, words.
archive_check_files() {
    local row failed=no
    local -a where=()
    [[ -z $opt_to ]] || where=(--folder "$opt_to")
    while IFS= read -r row; do
        [[ $row != *$'\tFAILED\t'* ]] || failed=yes
        if [[ $row != $'\a' ]]; then
            [[ -z $row ]] || printf '%s\n' "$row"
        elif [[ $failed == no ]]; then
            printf '?\t?\tFAILED\tnot every file could be checked\n'
        fi
    done < <(DATABASE_URL=$database_admin_url nice -n 10 "$(binary zvt-archiver)" --verify "${where[@]}" || printf '\n\a\n')
}

archive_verify() {
    local first last result detail
    local -a checks=()
    while IFS=$'\t' read -r first last result detail; do
        add_check "archive: seq $first to $last" "$result" "$detail"
    done < <(archive_check_files)
    if [[ $opt_json == yes ]]; then
        verify_json
    elif ((${#checks[@]} == 0)); then
        say "Nothing has been archived."
    fi
    (($(printf '%s\n' "${checks[@]}" | cut -f 2 | grep -cx FAILED) == 0))
}

# archive_restore SEQ: its partition in the schema "archived", for reading. The log itself stays as it is.
archive_restore() {
    local file sum first last
    IFS=$'\t' read -r first last file sum < <(archive_sql "select first_seq, last_seq, file, encode(sha256, 'hex') from log_archives where $1 between first_seq and last_seq")
    [[ -n ${file:-} ]] || fail "seq $1 is not archived; see: $me archive --list"
    [[ -z $opt_to ]] || file=$opt_to/$(basename -- "$file")
    [[ -r $file ]] || fail "cannot read $file; say --to FOLDER if the files are elsewhere now"
    [[ $(sha256sum -- "$file" | cut -d ' ' -f 1) == "$sum" ]] || fail "$file is damaged: it has not the SHA-256 that was recorded"
    archive_sql "$(archive_restore_sql)" -q || fail "the schema \"archived\" could not be made (see above)"
    if [[ $(archive_sql "select exists (select from archived.events where seq between $first and $last)") == f ]]; then
        zcat -- "$file" | PGAPPNAME="fleet archive" database_psql "$database_admin_url" -q -v ON_ERROR_STOP=1 -c "copy archived.events from stdin (format binary)" ||
            fail "seq $first to $last could not be restored (see above)"
    fi
    say "Seq $first to $last can be read in archived.events and archived.event_store; to forget them: drop schema archived cascade"
    suggest "psql -c 'select * from archived.event_store where seq = $1'" "look at this event"
}

archive_restore_sql() {
    cat <<'END'
set client_min_messages = warning;
create schema if not exists archived;
create table if not exists archived.events (like public.events including defaults including indexes);
create or replace view archived.event_store as
select e.seq, e.event_id, t.event_type,
       to_timestamp(e.timestamp_ns / 1000000000) + make_interval(secs => (e.timestamp_ns % 1000000000) / 1e9) as timestamp,
       e.correlation_id, e.causation_id, e.aggregate_id, e.aggregate_version,
       zvt_event_data(e.type, e.payload) as event_data, zvt_event_data(240::smallint, e.metadata) as metadata
from archived.events e left join (select distinct type, event_type from event_schema) t on t.type = e.type;
grant usage on schema archived to zvt_app;
grant select on archived.events, archived.event_store to zvt_app;
END
}
