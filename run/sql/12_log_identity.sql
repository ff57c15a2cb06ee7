-- Which log this is: made once, with the log. A home remembers it, so that ledgers never go on beside another log.

SET client_min_messages = warning;

CREATE TABLE IF NOT EXISTS log_identity (
    only_one boolean     PRIMARY KEY DEFAULT true CHECK (only_one),
    log_id   uuid        NOT NULL DEFAULT gen_random_uuid(),
    made_at  timestamptz NOT NULL DEFAULT now()
);
INSERT INTO log_identity DEFAULT VALUES ON CONFLICT DO NOTHING;

GRANT SELECT ON log_identity TO zvt_app;
