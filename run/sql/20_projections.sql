-- Read model of the portfolio process: one row per position, as of the event `seq` and the last quote. It is written by
-- zvt-portfolio alone and holds nothing of its own: dropped or emptied, it is filled again from the log.

CREATE TABLE IF NOT EXISTS portfolio_projections (
    position_id    uuid PRIMARY KEY,     -- the same for the same portfolio, strategy and symbol
    portfolio_id   text        NOT NULL,
    strategy_id    text        NOT NULL,
    symbol         text        NOT NULL, -- BASE/QUOTE
    quantity       numeric     NOT NULL, -- base asset, signed
    avg_price      numeric     NOT NULL, -- average entry price, quote asset; 0 when flat
    market_price   numeric     NOT NULL, -- last mid; 0 if never quoted
    market_value   numeric     NOT NULL, -- quantity times that
    realized_pnl   numeric     NOT NULL, -- quote asset, fees not deducted
    unrealized_pnl numeric     NOT NULL, -- at the last mid
    commission     numeric     NOT NULL, -- quote asset
    seq            bigint      NOT NULL, -- event that last changed the position
    updated_at     timestamptz NOT NULL  -- when the row was written
);

GRANT SELECT, INSERT, UPDATE, DELETE ON portfolio_projections TO zvt_app;
