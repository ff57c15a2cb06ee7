-- What `fleet verify` asks the database: rows of (check, ok or FAILED, detail), printed between the steps below.
-- Before this file the session reads the venues' ledgers into the table ledger_before and the events that concern them into
-- decoded (up to the seq in decoded_to), after it the ledgers once more into ledger_after. Whatever is durable at a venue before has to reach the log, and
-- whatever the log says has to be in the ledgers after: so trading may go on meanwhile.

\pset format unaligned
\pset tuples_only on
\pset fieldsep '\t'

-- Where the log begins, and what was recorded of the part that has left it (see log_archives).
CREATE TEMP TABLE origin AS
SELECT zvt_log_first_seq() AS first_seq,
       coalesce((SELECT hash_seq FROM log_archives ORDER BY first_seq DESC LIMIT 1), 0) AS hash_seq,
       coalesce((SELECT hash_after FROM log_archives ORDER BY first_seq DESC LIMIT 1), decode(repeat('00', 32), 'hex')) AS hash,
       coalesce((SELECT carry FROM log_archives ORDER BY first_seq DESC LIMIT 1), '') AS carry,
       coalesce((SELECT sum(fills) FROM log_archives), 0) AS fills,
       coalesce((SELECT sum(fills_sum) FROM log_archives), 0) AS fills_sum;
-- A saga that began before the log does may be caused by what is not there: by an event with an id of an earlier time than this.
CREATE FUNCTION pg_temp.id_ms(id uuid) RETURNS bigint LANGUAGE sql IMMUTABLE AS $$
    SELECT ('x' || substr(replace(id::text, '-', ''), 1, 12))::bit(48)::bigint
$$;

CREATE TEMP TABLE executed (seq bigint, order_id text, exchange text, exec_id text, symbol text, side text, price numeric, quantity numeric,
                            commission numeric);

-- The events that are compared here, with what they say: the table decoded has them up to where the log stood when the
-- verification began, and this adds what has come since.
CREATE FUNCTION pg_temp.decode_newer() RETURNS void LANGUAGE sql AS $$
    INSERT INTO decoded
    SELECT e.seq, e.type, zvt_event_data(e.type, e.payload)
    FROM events e
    WHERE e.seq > (SELECT greatest(d.last, (SELECT max(seq) FROM decoded)) FROM decoded_to d)
      AND e.type IN (SELECT type FROM event_schema
                     WHERE event_type IN ('order.executed', 'position.updated', 'position.adjusted', 'saga.dead_lettered'))
$$;
CREATE FUNCTION pg_temp.data_of(wanted text[]) RETURNS TABLE (seq bigint, data jsonb) LANGUAGE sql AS $$
    SELECT d.seq, d.data FROM decoded d WHERE d.type IN (SELECT s.type FROM event_schema s WHERE s.event_type = ANY (wanted))
$$;

-- Reports that were put aside: they are in the log, but nobody could account for them.
CREATE TEMP TABLE put_aside AS
SELECT d.data ->> 'exchange' AS exchange, (d.data ->> 'venue_seq')::bigint AS venue_seq
FROM pg_temp.data_of('{saga.dead_lettered}') d
UNION ALL
SELECT split_part(line, ' ', 1), split_part(line, ' ', 2)::bigint
FROM log_archives, regexp_split_to_table(put_aside, E'\n') line WHERE line <> '';

-- Fills of the ledgers that the log does not have: as many as were archived, once all of them have arrived.
CREATE FUNCTION pg_temp.fills_missing() RETURNS TABLE (exchange text, exec_id text, venue_seq bigint) LANGUAGE sql AS $$
    SELECT l.line ->> 'exchange', l.line ->> 'exec_id', (l.line ->> 'venue_seq')::bigint
    FROM ledger_before l
    LEFT JOIN executed x ON x.exchange = l.line ->> 'exchange' AND x.exec_id = l.line ->> 'exec_id' AND x.side = l.line ->> 'side'
                        AND x.price = (l.line ->> 'price')::numeric AND x.quantity = (l.line ->> 'quantity')::numeric
    LEFT JOIN (SELECT DISTINCT a.exchange, a.venue_seq FROM put_aside a) a
           ON a.exchange = l.line ->> 'exchange' AND a.venue_seq = (l.line ->> 'venue_seq')::bigint
    WHERE l.line ->> 'kind' = 'fill' AND x.seq IS NULL AND a.venue_seq IS NULL
$$;

-- Fills that a venue had made durable when the verification began may still be on their way to the log: give them ten
-- seconds.
DO $$
DECLARE
    last_look timestamptz := clock_timestamp() + interval '10 seconds';
BEGIN
    LOOP
        PERFORM pg_temp.decode_newer();
        INSERT INTO executed
        SELECT d.seq, d.data ->> 'order_id', d.data ->> 'exchange', d.data ->> 'exec_id', d.data ->> 'symbol', d.data ->> 'side',
               (d.data ->> 'executed_price')::numeric, (d.data ->> 'executed_quantity')::numeric, (d.data ->> 'commission')::numeric
        FROM pg_temp.data_of('{order.executed}') d
        WHERE d.seq > coalesce((SELECT max(seq) FROM executed), 0);
        EXIT WHEN clock_timestamp() > last_look OR (SELECT count(*) FROM pg_temp.fills_missing()) <= (SELECT fills FROM origin);
        PERFORM pg_sleep(0.2);
    END LOOP;
END $$;

CREATE TEMP TABLE positions AS
SELECT d.seq, d.data ->> 'position_id' AS position_id, d.data ->> 'order_id' AS order_id, d.data ->> 'exec_id' AS exec_id,
       d.data ->> 'symbol' AS symbol, (d.data ->> 'quantity_change')::numeric AS change, (d.data ->> 'new_quantity')::numeric AS quantity,
       (d.data ->> 'new_avg_price')::numeric AS average, (d.data ->> 'realized_pnl')::numeric AS profit,
       (d.data ->> 'realized_pnl_total')::numeric AS profit_total, (d.data ->> 'commission_total')::numeric AS commission_total
FROM pg_temp.data_of('{position.updated, position.adjusted}') d
WHERE d.data ->> 'strategy_id' <> ''; -- an adjustment of a venue account alone is no position
-- Fills committed since belong to the next verification.
DELETE FROM positions p WHERE NOT EXISTS (SELECT FROM executed x WHERE x.order_id = p.order_id AND x.exec_id = p.exec_id)
                          AND p.seq > (SELECT max(seq) FROM executed);
-- The commit that the log begins in the middle of may have left its fills in the archive.
DELETE FROM positions p WHERE p.exec_id IS NOT NULL AND NOT EXISTS (SELECT FROM executed x WHERE x.order_id = p.order_id AND x.exec_id = p.exec_id)
                          AND p.seq <= (SELECT max(b.last_seq) FROM event_batches b, origin o WHERE b.first_seq < o.first_seq AND o.first_seq > 1);
ANALYZE executed;
ANALYZE positions;

-- ---- the log in itself ----
SELECT format('log: seq from %s without a gap', o.first_seq),
       CASE WHEN count = max - o.first_seq + 1 AND min = o.first_seq THEN 'ok' ELSE 'FAILED' END,
       format('%s events, the last is %s%s', count, max, ', archived: ' || nullif(o.first_seq - 1, 0))
FROM origin o, (SELECT count(*), coalesce(max(seq), 0) AS max, coalesce(min(seq), 1) AS min FROM events) e;

-- An aggregate may have begun before the log does; then its first version is another.
SELECT 'log: versions of every aggregate from 1 without a gap or double',
       CASE WHEN count(*) FILTER (WHERE NOT fine) = 0 THEN 'ok' ELSE 'FAILED' END,
       format('%s aggregates%s%s', count(*), coalesce(', wrong: ' || min(aggregate_id::text) FILTER (WHERE NOT fine), ''),
              ', begun in the archive: ' || nullif(count(*) FILTER (WHERE first > 1), 0))
FROM (SELECT aggregate_id, min(aggregate_version) AS first,
             count(*) = max(aggregate_version) - min(aggregate_version) + 1 AND count(DISTINCT aggregate_version) = count(*)
             AND (min(aggregate_version) = 1 OR (SELECT first_seq > 1 FROM origin)) AS fine
      FROM events GROUP BY aggregate_id) a;

SELECT 'log: every event is caused by one before it in its saga',
       CASE WHEN count(*) FILTER (WHERE NOT fine) = 0 THEN 'ok' ELSE 'FAILED' END,
       format('%s sagas%s', count(DISTINCT correlation_id), coalesce(', wrong: seq ' || min(seq) FILTER (WHERE NOT fine), ''))
FROM (SELECT e.seq, e.correlation_id,
             row_number() OVER (PARTITION BY e.correlation_id ORDER BY e.seq) = 1 OR coalesce(c.seq < e.seq, false)
             OR (c.seq IS NULL AND pg_temp.id_ms(e.causation_id) <= o.began_ms) AS fine
      FROM (SELECT coalesce((SELECT timestamp_ns / 1000000 + 1000 FROM events WHERE seq = first_seq AND first_seq > 1), 0) AS began_ms
            FROM origin) o, events e
      LEFT JOIN events c ON c.event_id = e.causation_id AND c.correlation_id = e.correlation_id) x;

-- The hash of a batch is made of the hash before it and of its rows, byte for byte as they were sent.
WITH rows AS (
    SELECT seq,
           '\x000b'::bytea || '\x00000008'::bytea || int8send(seq) || '\x00000010'::bytea || uuid_send(event_id)
           || '\x00000002'::bytea || int2send(type) || '\x00000002'::bytea || int2send(version)
           || '\x00000008'::bytea || int8send(timestamp_ns) || '\x00000010'::bytea || uuid_send(correlation_id)
           || '\x00000010'::bytea || uuid_send(causation_id) || '\x00000010'::bytea || uuid_send(aggregate_id)
           || '\x00000004'::bytea || int4send(aggregate_version) || int4send(length(metadata)) || metadata
           || int4send(length(payload)) || payload AS bytes
    FROM events
), chain AS (
    SELECT b.first_seq, b.last_seq, b.hash, lag(b.last_seq, 1, o.hash_seq) OVER (ORDER BY b.last_seq) AS before,
           lag(b.hash, 1, o.hash) OVER (ORDER BY b.last_seq) AS hash_before,
           CASE WHEN b.first_seq < o.first_seq THEN o.carry ELSE '' END AS carry -- its rows that are archived
    FROM event_batches b, origin o WHERE b.last_seq >= o.first_seq
), checked AS (
    SELECT c.first_seq, c.first_seq = c.before + 1
           AND c.hash = sha256(c.hash_before || c.carry || (SELECT string_agg(r.bytes, '' ORDER BY r.seq) FROM rows r
                                                            WHERE r.seq BETWEEN c.first_seq AND c.last_seq)) AS fine
    FROM chain c
)
SELECT 'log: every commit carries the hash of its rows and of the commit before',
       CASE WHEN count(*) FILTER (WHERE fine IS NOT TRUE) = 0 THEN 'ok' ELSE 'FAILED' END,
       format('%s commits%s', count(*), coalesce(', the first that is wrong begins at seq ' || min(first_seq) FILTER (WHERE fine IS NOT TRUE), ''))
FROM checked;

-- ---- fills and positions ----
SELECT 'positions: every fill changed its position once, by its quantity',
       CASE WHEN count(*) FILTER (WHERE fine IS NOT TRUE) = 0 THEN 'ok' ELSE 'FAILED' END,
       format('%s fills%s', count(*), coalesce(', wrong: exec_id ' || min(exec_id) FILTER (WHERE fine IS NOT TRUE), ''))
FROM (SELECT x.exec_id, count(p.seq) = 1 AND sum(p.change) = min(CASE x.side WHEN 'buy' THEN x.quantity ELSE -x.quantity END)
             AND min(p.symbol) = min(x.symbol) AS fine
      FROM executed x LEFT JOIN positions p ON p.order_id = x.order_id AND p.exec_id = x.exec_id
      GROUP BY x.seq, x.exec_id) f;

SELECT 'positions: every quantity is the sum of its changes',
       CASE WHEN count(*) FILTER (WHERE NOT fine) = 0 THEN 'ok' ELSE 'FAILED' END, format('%s positions', count(DISTINCT position_id))
FROM (SELECT position_id, quantity - sum(change) OVER w = first_value(quantity - change) OVER w
             AND (first_value(quantity - change) OVER w = 0 OR (SELECT first_seq > 1 FROM origin)) AS fine
      FROM positions WINDOW w AS (PARTITION BY position_id ORDER BY seq)) p;

-- From each state of a position to the next: quantities are kept at average cost, what is closed is realized. An adjustment says neither
-- the average price nor the profit after it, so what follows one directly is held against commissions alone.
SELECT 'positions: average price, profit and commission come of the fills',
       CASE WHEN count(*) FILTER (WHERE fine IS NOT TRUE) = 0 THEN 'ok' ELSE 'FAILED' END,
       format('%s fills%s', count(*), coalesce(', wrong: seq ' || min(seq) FILTER (WHERE fine IS NOT TRUE), ''))
FROM (SELECT s.seq, commission_total = commission_before + commission
             AND (NOT known OR profit_total = profit_before + profit
                  AND profit = CASE WHEN opens THEN 0 ELSE round(sign(held) * (price - average_before) * least(abs(change), abs(held)), 8) END
                  AND CASE WHEN opens THEN abs(average * abs(held + change) - (average_before * abs(held) + price * abs(change))) <= 0.000000005 * abs(held + change)
                           ELSE average = CASE sign(abs(change) - abs(held)) WHEN -1 THEN average_before WHEN 0 THEN 0 ELSE price END END) AS fine
      FROM (SELECT n.*, x.price, x.commission, n.quantity - n.change AS held, sign(n.quantity - n.change) * sign(n.change) >= 0 AS opens,
                   lag(average, 1, 0.0) OVER w AS average_before, lag(profit_total, 1, 0.0) OVER w AS profit_before,
                   lag(commission_total, 1, 0.0) OVER w AS commission_before, lag(place, 1, 0) OVER w = place - 1 AS known,
                   lag(place) OVER w IS NULL AS first
            FROM (SELECT *, row_number() OVER (PARTITION BY position_id ORDER BY seq) AS place FROM positions) n
            JOIN executed x ON x.order_id = n.order_id AND x.exec_id = n.exec_id
            WINDOW w AS (PARTITION BY position_id ORDER BY n.seq)) s, origin o
      WHERE NOT s.first OR o.first_seq = 1) f;

-- Of those that were archived it is known how many they are, and a sum over their numbers. A fill that was put aside and accounted for
-- later may be in both.
SELECT 'venues: every fill of the ledgers is in the log',
       CASE WHEN missing = o.fills AND sum = o.fills_sum OR aside > 0 AND missing BETWEEN o.fills - aside AND o.fills THEN 'ok' ELSE 'FAILED' END,
       format('%s fills%s%s%s', (SELECT count(*) FROM ledger_before WHERE line ->> 'kind' = 'fill'), ', put aside: ' || nullif(aside, 0),
              ', archived: ' || nullif(o.fills, 0), CASE WHEN missing > o.fills THEN format(', missing: %s, such as %s', missing - o.fills, example)
                   WHEN missing < o.fills - aside THEN format(', the ledgers lack %s of the archived ones', o.fills - missing)
                   WHEN aside = 0 AND sum <> o.fills_sum THEN ', others than the archived ones are missing' END)
FROM origin o,
     (SELECT count(*) AS missing, min(exec_id) AS example,
             coalesce(sum(('x' || encode(substring(sha256(convert_to(exchange || ' ' || venue_seq, 'UTF8')) from 1 for 4), 'hex'))::bit(32)::bigint), 0) AS sum
      FROM pg_temp.fills_missing()) m,
     (SELECT count(*) AS aside
      FROM ledger_before l JOIN (SELECT DISTINCT exchange, venue_seq FROM put_aside) a
           ON a.exchange = l.line ->> 'exchange' AND a.venue_seq = (l.line ->> 'venue_seq')::bigint
      WHERE l.line ->> 'kind' = 'fill'
        AND NOT EXISTS (SELECT FROM executed x WHERE x.exchange = l.line ->> 'exchange' AND x.exec_id = l.line ->> 'exec_id')) p;
