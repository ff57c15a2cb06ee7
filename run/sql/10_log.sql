-- The event log of a shard, its fence, and the views people read. Idempotent: applied at every start of a fleet.
-- Owner of everything is the role that runs this file; the daemons connect as zvt_app, which may append and read, never change.

SET client_min_messages = warning;

DO $$
BEGIN
    IF NOT EXISTS (SELECT FROM pg_roles WHERE rolname = 'zvt_app') THEN
        CREATE ROLE zvt_app LOGIN;
    END IF;
EXCEPTION WHEN insufficient_privilege THEN
    RAISE EXCEPTION 'this database role may not create the role zvt_app; create it first: CREATE ROLE zvt_app LOGIN';
END $$;

-- One row per event. Payload and metadata are the msgpack of the schema table; event_store below shows them as jsonb.
CREATE TABLE IF NOT EXISTS events (
    seq               bigint   NOT NULL, -- from 1, no gaps
    event_id          uuid     NOT NULL, -- UUIDv7
    type              smallint NOT NULL, -- event_schema.type
    version           smallint NOT NULL, -- of the payload's schema
    timestamp_ns      bigint   NOT NULL, -- UTC nanoseconds
    correlation_id    uuid     NOT NULL, -- the saga
    causation_id      uuid     NOT NULL, -- the event or message that caused it
    aggregate_id      uuid     NOT NULL,
    aggregate_version integer  NOT NULL, -- 1, 2, 3 .. within the aggregate
    metadata          bytea    NOT NULL,
    payload           bytea    NOT NULL,
    PRIMARY KEY (seq)
) PARTITION BY RANGE (seq);

-- Finds the events of a saga. Ids of sagas rise with time, so that the bounds of each range of pages tell most of them apart;
-- a tree would cost a quarter of the WAL. Ranges are summarized off the order path, by zvt_summarize_events.
DO $$
BEGIN
    IF EXISTS (SELECT FROM pg_class c JOIN pg_am a ON a.oid = c.relam WHERE c.oid = to_regclass('events_correlation_id') AND a.amname = 'btree') THEN
        DROP INDEX events_correlation_id;
    END IF;
END $$;
CREATE INDEX IF NOT EXISTS events_correlation_id ON events USING brin (correlation_id uuid_minmax_multi_ops) WITH (pages_per_range = 64);

-- One row per commit: which events it appended under which epoch, and a hash that chains it to the commit before:
-- sha256(hash of the batch before || the rows as COPY BINARY sends them).
CREATE TABLE IF NOT EXISTS event_batches (
    last_seq  bigint PRIMARY KEY,
    first_seq bigint NOT NULL,
    epoch     bigint NOT NULL,
    hash      bytea  NOT NULL
) WITH (autovacuum_enabled = off);

-- Who may append. Every commit checks its epoch here, in the same transaction. The heartbeat is written a few times a second,
-- by a commit that happens anyway or by one of its own: it tells a stopped holder from a quiet one.
CREATE TABLE IF NOT EXISTS writer_lease (
    shard         integer     PRIMARY KEY,
    epoch         bigint      NOT NULL,
    holder        text        NOT NULL,
    backend_pid   integer     NOT NULL,
    backend_start timestamptz NOT NULL,
    taken_at      timestamptz NOT NULL DEFAULT now(),
    heartbeat     timestamptz NOT NULL DEFAULT now()
);
ALTER TABLE writer_lease ADD COLUMN IF NOT EXISTS heartbeat timestamptz NOT NULL DEFAULT now();

-- What has left the log: one row per partition that was exported to a file and dropped, in order and without a hole, so that the log
-- begins behind the last of them. See run/lib/archive.sh. The hash chain goes on over the border: hash_after is the hash of the
-- last commit that is in the files whole (it ends at hash_seq), carry the rows of the one that goes on in the log behind.
CREATE TABLE IF NOT EXISTS log_archives (
    first_seq      bigint      PRIMARY KEY,
    last_seq       bigint      NOT NULL CHECK (last_seq >= first_seq),
    rows           bigint      NOT NULL CHECK (rows = last_seq - first_seq + 1),
    file           text        NOT NULL, -- gzip of COPY BINARY of the rows
    bytes          bigint      NOT NULL,
    sha256         bytea       NOT NULL, -- of the file
    batches        bigint      NOT NULL, -- rows of event_batches whose last event is among the rows
    batches_file   text        NOT NULL, -- the same for these
    batches_sha256 bytea       NOT NULL,
    hash_after     bytea       NOT NULL,
    hash_seq       bigint      NOT NULL,
    carry          bytea       NOT NULL, -- rows as COPY BINARY sends them, from hash_seq + 1 to last_seq
    fills          bigint      NOT NULL, -- order.executed among the rows ..
    fills_sum      bigint      NOT NULL, -- .. and the sum of the first four bytes of sha256('EXCHANGE VENUE_SEQ') of each
    put_aside      text        NOT NULL, -- lines 'EXCHANGE VENUE_SEQ' of fills that were dead-lettered
    archived_at    timestamptz NOT NULL DEFAULT now()
);
CREATE OR REPLACE FUNCTION zvt_log_first_seq() RETURNS bigint LANGUAGE sql STABLE AS $$
    SELECT coalesce(max(last_seq), 0) + 1 FROM log_archives
$$;

-- The states from which processes go on where the log does not begin with event 1: what each was at the barrier `seq`, as the fold of
-- the log and the live process agreed on it. Kept for good, unlike a checkpoint.
CREATE TABLE IF NOT EXISTS log_bases (
    process text        NOT NULL, -- orchestrator, risk, portfolio
    seq     bigint      NOT NULL,
    digest  uuid        NOT NULL, -- of the state, as `digest SEQ` answers it
    data    bytea       NOT NULL, -- the process's own form: saved.* records, or a snapshot
    made_at timestamptz NOT NULL DEFAULT now(),
    PRIMARY KEY (process, seq)
);
ALTER TABLE log_bases ALTER COLUMN data SET STORAGE EXTERNAL; -- read in pieces

-- How many events a partition holds: decided with the log (ZVT_PARTITION_EVENTS at its first `up`), and the same ever after.
\if :{?partition_events}
\else
\set partition_events 10000000
\endif
CREATE TABLE IF NOT EXISTS log_layout (
    only_one         boolean PRIMARY KEY DEFAULT true CHECK (only_one),
    partition_events bigint  NOT NULL CHECK (partition_events >= 1000)
);
INSERT INTO log_layout (partition_events) -- a log that has partitions but no layout is older than this table
SELECT CASE WHEN EXISTS (SELECT FROM pg_inherits WHERE inhparent = 'events'::regclass) THEN 10000000 ELSE :partition_events END
ON CONFLICT DO NOTHING;

-- Partitions, made ahead of the writer (one, or a hundred thousand events), off the order path; what was archived is not made
-- again. Rows are never changed, so there is nothing to vacuum; autovacuum would read and write everything once more, at its own
-- time. (Postgres still freezes a table before its transaction numbers run out.)
CREATE OR REPLACE FUNCTION zvt_ensure_partitions(up_to_seq bigint) RETURNS void
LANGUAGE plpgsql SECURITY DEFINER SET search_path = public AS $$
DECLARE
    size constant bigint := (SELECT partition_events FROM log_layout);
    tip constant bigint := (SELECT coalesce(max(last_seq), 0) FROM event_batches);
    part bigint;
    name text;
BEGIN
    PERFORM pg_advisory_xact_lock(hashtext('zvt_ensure_partitions'));
    FOR part IN greatest(zvt_log_first_seq() / size, least(up_to_seq, tip) / size - 1) .. (up_to_seq + greatest(size, 100000)) / size LOOP
        name := format('events_p%s', lpad(part::text, 6, '0'));
        IF to_regclass(name) IS NULL THEN
            EXECUTE format('CREATE TABLE %I (LIKE events INCLUDING ALL)', name);
            EXECUTE format('ALTER TABLE %I SET (autovacuum_enabled = off, toast.autovacuum_enabled = off)', name);
            EXECUTE format('ALTER TABLE events ATTACH PARTITION %I FOR VALUES FROM (%s) TO (%s)', name, part * size, (part + 1) * size);
        END IF;
    END LOOP;
END $$;
SELECT zvt_ensure_partitions(coalesce((SELECT max(last_seq) FROM event_batches), 0));

-- The partitions that the log consists of, oldest first.
CREATE OR REPLACE VIEW log_partitions AS
SELECT p.name, greatest(p.part * l.partition_events, 1) AS first_seq, (p.part + 1) * l.partition_events - 1 AS last_seq
FROM (SELECT c.relname::text AS name, substr(c.relname::text, 9)::bigint AS part
      FROM pg_inherits i JOIN pg_class c ON c.oid = i.inhrelid WHERE i.inhparent = 'events'::regclass) p, log_layout l
ORDER BY p.part;

-- Brings the index on sagas up to date around this seq: ranges of pages that nobody has summarized are read by every search.
-- It reads what is new, and may wait for a vacuum: not for the order path.
CREATE OR REPLACE FUNCTION zvt_summarize_events(up_to_seq bigint) RETURNS bigint
LANGUAGE sql SECURITY DEFINER SET search_path = public, pg_catalog AS $$
    SELECT coalesce(sum(brin_summarize_new_values(i.indexrelid)), 0)
    FROM log_layout l, generate_series(greatest(0, least(up_to_seq / l.partition_events - 1, (up_to_seq - 100000) / l.partition_events)),
                                       up_to_seq / l.partition_events) part
    JOIN pg_index i ON i.indrelid = to_regclass(format('events_p%s', lpad(part::text, 6, '0')))
    JOIN pg_class c ON c.oid = i.indexrelid JOIN pg_am a ON a.oid = c.relam AND a.amname = 'brin'
$$;

-- Ends the connection of a writer that is stopped inside its transaction, because only that frees its locks: the one that
-- holds the lease with this epoch, if it is still there.
DROP FUNCTION IF EXISTS zvt_end_stuck_writer(integer);
CREATE OR REPLACE FUNCTION zvt_end_writer(of_shard integer, of_epoch bigint) RETURNS boolean
LANGUAGE sql SECURITY DEFINER SET search_path = public AS $$
    SELECT coalesce(bool_or(pg_terminate_backend(a.pid)), false)
    FROM writer_lease l JOIN pg_stat_activity a ON a.pid = l.backend_pid AND a.backend_start = l.backend_start
    WHERE l.shard = of_shard AND l.epoch = of_epoch AND a.pid <> pg_backend_pid()
$$;

-- Takes the events' JSON form from the schema tables; see 06_msgpack.sql.
CREATE OR REPLACE VIEW event_store AS
SELECT e.seq,
       e.event_id,
       t.event_type,
       to_timestamp(e.timestamp_ns / 1000000000) + make_interval(secs => (e.timestamp_ns % 1000000000) / 1e9) AS timestamp,
       e.correlation_id,
       e.causation_id,
       e.aggregate_id,
       e.aggregate_version,
       zvt_event_data(e.type, e.payload) AS event_data,
       zvt_event_data(240::smallint, e.metadata) AS metadata
FROM events e
LEFT JOIN (SELECT DISTINCT type, event_type FROM event_schema) t ON t.type = e.type;

GRANT USAGE ON SCHEMA public TO zvt_app;
GRANT SELECT, INSERT ON events, event_batches TO zvt_app;
GRANT SELECT ON event_store, log_archives, log_bases, log_layout, log_partitions TO zvt_app;
GRANT SELECT, INSERT, UPDATE ON writer_lease TO zvt_app;
GRANT EXECUTE ON FUNCTION zvt_ensure_partitions(bigint), zvt_summarize_events(bigint), zvt_end_writer(integer, bigint) TO zvt_app;
