-- The second half of what `fleet verify` asks: the log against the ledgers as they are now (table ledger_after).
-- A venue has its own name for an instrument: BTCUSDT where the log says BTC/USDT.

WITH fills AS (
    SELECT line ->> 'exchange' AS exchange, line ->> 'exec_id' AS exec_id, replace(line ->> 'symbol', '/', '') AS symbol, line ->> 'side' AS side,
           (line ->> 'price')::numeric AS price, (line ->> 'quantity')::numeric AS quantity
    FROM ledger_after WHERE line ->> 'kind' = 'fill'
), joined AS (
    SELECT x.exec_id, count(f.exec_id) = 1 AS fine
    FROM executed x LEFT JOIN fills f ON f.exchange = x.exchange AND f.exec_id = x.exec_id AND f.symbol = replace(x.symbol, '/', '')
                                     AND f.side = x.side AND f.price = x.price AND f.quantity = x.quantity
    GROUP BY x.seq, x.exec_id
)
SELECT 'venues: every fill of the log is in its ledger, with price and quantity',
       CASE WHEN count(*) FILTER (WHERE NOT fine) = 0 THEN 'ok' ELSE 'FAILED' END,
       format('%s fills%s', count(*), coalesce(', not so: ' || min(exec_id) FILTER (WHERE NOT fine), ''))
FROM joined;

SELECT 'venues: no execution is in the log twice',
       CASE WHEN count(*) = count(DISTINCT (exchange, exec_id)) THEN 'ok' ELSE 'FAILED' END, format('%s fills', count(*))
FROM executed;

-- Only fills that both sides know are compared: trading goes on.
SELECT 'venues: positions per symbol are the sum of the ledgers'' fills, and of what was adjusted by hand',
       CASE WHEN count(*) FILTER (WHERE held IS DISTINCT FROM filled + adjusted) = 0 THEN 'ok' ELSE 'FAILED' END,
       coalesce(string_agg(format('%s %s', symbol, trim_scale(held)), ', ' ORDER BY symbol), 'no fills')
FROM (SELECT p.symbol, p.held,
             (SELECT coalesce(sum(a.change), 0) FROM positions a WHERE a.symbol = p.symbol AND a.exec_id IS NULL) AS adjusted,
             sum(CASE l.line ->> 'side' WHEN 'buy' THEN 1 ELSE -1 END * (l.line ->> 'quantity')::numeric) AS filled
      FROM (SELECT symbol, sum(quantity - before) AS held -- since the log begins
            FROM (SELECT DISTINCT ON (position_id) position_id, symbol, quantity,
                         first_value(quantity - change) OVER (PARTITION BY position_id ORDER BY seq) AS before
                  FROM positions ORDER BY position_id, seq DESC) latest
            GROUP BY symbol) p
      JOIN executed x ON x.symbol = p.symbol
      JOIN ledger_after l ON l.line ->> 'kind' = 'fill' AND l.line ->> 'exchange' = x.exchange AND l.line ->> 'exec_id' = x.exec_id
      GROUP BY p.symbol, p.held) s;
