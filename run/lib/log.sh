# shellcheck shell=bash
# log -- whether the log in the database is the one that the home's ledgers and epochs belong to.
#
# The venues' ledgers, and the epochs that executor and gateways have obeyed, lie in HOME/state; the log lies in the
# database. Where a database was wiped, replaced or restored to an earlier day, the ledgers would go on beside a log that
# knows nothing of what they hold: `up` refuses that, unless it is told to accept it.
#
# Files  HOME/state/log.env: the log's identity, and a seq that it had reached.

log_file() { printf '%s' "$home/state/log.env"; }

# What the home remembers: known_id, known_seq, and known_epoch, the highest epoch that anybody has obeyed.
log_load() {
    local file epoch
    known_id='' known_seq=0 known_epoch=0
    if [[ -f $(log_file) ]]; then
        # shellcheck source=/dev/null
        source "$(log_file)"
    fi
    for file in "$home"/state/*.epoch; do
        read -r epoch 2>/dev/null <"$file" || continue
        if [[ $epoch =~ ^[0-9]{1,18}$ ]] && ((epoch > known_epoch)); then known_epoch=$epoch; fi
    done
}

# What the database holds: found_id (empty: no log), found_seq, found_epoch. Tables that are not there count as empty.
log_look() {
    local answer
    answer=$(database_psql "$database_admin_url" -AtF ' ' 2>/dev/null <<'END'
select 'select ' || case when to_regclass('log_identity') is null then $$''$$ else '(select log_id from log_identity)' end
    || ', ' || case when to_regclass('event_batches') is null then '0' else '(select coalesce(max(last_seq), 0) from event_batches)' end
    || ', ' || case when to_regclass('writer_lease') is null then '0' else '(select coalesce(max(epoch), 0) from writer_lease)' end
\gexec
END
    )
    IFS=' ' read -r found_id found_seq found_epoch <<<"${answer:- 0 0}"
    # Without an identity the line begins with the separator, which read passes over.
    if [[ ! $found_id == *-* ]]; then found_epoch=${found_seq:-0} found_seq=${found_id:-0} found_id=''; fi
}

# Prints what is wrong with the log that was found; false if nothing is.
log_difference() {
    if ((found_seq == 0 && (known_seq > 0 || known_epoch > 0))); then
        printf 'it is empty'
    elif [[ -n $known_id && -n $found_id && $known_id != "$found_id" ]]; then
        printf 'it is another log, with %s events' "$found_seq"
    elif ((found_seq < known_seq)); then
        printf 'it ends at seq %s, and had reached seq %s' "$found_seq" "$known_seq"
    elif ((found_epoch < known_epoch)); then
        printf 'its last writer had epoch %s, and executor or gateways have obeyed epoch %s' "$found_epoch" "$known_epoch"
    else
        return 1
    fi
}

log_refuse() {
    fail "the log in $(database_text) is not the one that $home/state belongs to: $1.
  The venues' ledgers and the epochs of this home are still there; trading on would leave their fills without a log.
  What to do: restore that database, and run \"$me up\" again; or begin anew with \"$me down --wipe\"; or, if the log is lost
  for good and you want to keep the ledgers, \"$me up --accept-lost-log\": fills that it held then stay unexplained."
}

database_text() {
    if [[ $database_kind == private ]]; then printf '%s' "$database_data"; else dsn_without_password "$database_url"; fi
}

# Before a private Postgres is made: refuses to put an empty one in the place of one that is gone.
log_check_data() {
    [[ $database_kind == private && ! -f $database_data/PG_VERSION && $opt_accept_lost_log == no ]] || return 0
    log_load
    ((known_seq == 0 && known_epoch == 0)) || log_refuse "there is no database in that folder"
}

# Once the database answers, and before anything is made in it.
log_check() {
    local difference
    log_load
    log_look
    difference=$(log_difference) || return 0
    [[ $opt_accept_lost_log == yes ]] || log_refuse "$difference"
    note "The log of this home is lost ($difference); going on with what is there. What only the ledgers know is put aside; see: $me verify"
}

# Remembers the log; called when its schema is there, and again by `down`.
log_store() {
    local file
    file=$(log_file)
    log_look
    [[ -n $found_id ]] || return 1
    printf 'known_id=%q\nknown_seq=%q\n' "$found_id" "$found_seq" >"$file.new" && mv -f -- "$file.new" "$file"
}
