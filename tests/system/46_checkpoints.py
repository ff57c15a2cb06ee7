#!/usr/bin/python3
# run/test: first
"""Checkpoints that are damaged or of another log: a restart goes back to the one before, no command is done twice for it, and
`verify` notices one that can be read and is not the fold of the log."""
import json
import os
import signal

import msgpack

from probe import HOME, Client, Database, Fleet, check, wait_until

ORDER = ("order", "--symbol", "BTC/USDT", "--side", "buy", "--quantity", "0.01", "--json", "--request-id")
BEYOND = 99_999_999
POSITIONS = "positions: average price, profit and commission come of the fills"
SEQS = "select string_agg(distinct seq::text, ' ' order by seq::text) from checkpoints"


def order(fleet, request_id):
    return json.loads(fleet(*ORDER, request_id))["order_id"]


def kill(fleet, name):
    pid = fleet.pid(name)
    os.kill(pid, signal.SIGKILL)
    wait_until(20, lambda: fleet.pid(name) not in (0, pid))


def failed_checks(fleet):
    return [c["check"] for c in json.loads(fleet("verify", "--json", may_fail=True))["checks"] if not c["ok"]]


def newest(database):
    return database.number(f"select coalesce(max(seq), 0) from checkpoints where seq < {BEYOND}")


def next_checkpoint(database):
    before = newest(database)
    return wait_until(60, lambda: newest(database) > before)


def with_changed_position(fleet, owner, place):
    """The failed checks while one field of the newest position.updated is one unit more."""
    seq, payload = owner("select seq, encode(payload, 'hex') from events where type = 20 order by seq desc limit 1")[0].split("|")
    data = msgpack.unpackb(bytes.fromhex(payload))
    data[place] += 1
    change = f"update events set payload = decode('%s', 'hex') where seq = {seq}"
    owner(change % msgpack.packb(data).hex())
    failed = failed_checks(fleet)
    owner(change % payload)
    return failed


def main():
    with Fleet() as fleet:
        database = Database(fleet.env["DATABASE_URL"])
        owner = Database(fleet.env["DATABASE_URL"].replace("user=zvt_app", "user=zvt"))  # whom no process of the fleet is
        client = Client(fleet, 50)
        first = order(fleet, "once")
        check("a checkpoint is stored", next_checkpoint(database))
        check("and another", next_checkpoint(database))
        check("orders came meanwhile, and each was answered", client.finish() and client.count() > 100)

        at = newest(database)
        owner(f"insert into checkpoints select {BEYOND}, part, records from checkpoints where seq = {at}")
        owner(f"update checkpoints set records = overlay(records placing '\\xffffffff'::bytea from 500) where seq = {at}")
        kill(fleet, "orchestrator")
        check("with the newest damaged and one beyond the log the orchestrator opens",
              wait_until(20, lambda: fleet.is_trading("orchestrator")), fleet.state("orchestrator"))
        with open(f"{HOME}/log/orchestrator/current") as log:
            said = log.read()
        check("going on from the one before", f"(seq {at}); trying the one before" in said and "from its beginning" not in said)
        check("and remembers what was done", order(fleet, "once") == first)

        kill(fleet, "checkpointer")
        order(fleet, "another")
        check("the next checkpoint is stored", next_checkpoint(database))
        check("and what claimed to be beyond the log is deleted", str(BEYOND) not in database(SEQS)[0], database(SEQS))
        fleet.verify()

        # One that can be read: the id of a remembered request is another.
        at = newest(database)
        owner("update checkpoints set records = overlay(records placing 'XXXX'::bytea from position('once'::bytea in records))"
              f" where seq = {at} and position('once'::bytea in records) > 0")
        check("verify says that a checkpoint is not the fold of the log",
              failed_checks(fleet) == ["state: the checkpoint is the fold of the log"], failed_checks(fleet))
        kill(fleet, "orchestrator")
        wait_until(20, lambda: fleet.is_trading("orchestrator"))
        check("an orchestrator that believes it has forgotten the request", order(fleet, "once") != first)
        check("and verify finds the command that is in the log twice", "log: no command is in it twice" in failed_checks(fleet), failed_checks(fleet))

        owner("alter table events disable trigger all")
        for place, what in ((8, "an average price"), (9, "a profit"), (10, "a sum of profits"), (12, "a sum of commissions")):
            failed = with_changed_position(fleet, owner, place)
            check(f"verify finds {what} that does not come of the fills", POSITIONS in failed, failed)
        check("and nothing once it is as it was", POSITIONS not in failed_checks(fleet))


main()
