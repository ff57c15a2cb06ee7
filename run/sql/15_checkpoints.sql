-- Folds of the event log, so that a restart reads the newest one and the events after it instead of the whole log.
-- A checkpoint is the records of its parts, one after another (saved.* of the schema table). It can be deleted at any
-- time: it is made from the log, and the log does without it.
CREATE TABLE IF NOT EXISTS checkpoints (
    seq     bigint NOT NULL,  -- fold of the log up to here
    part    int    NOT NULL,  -- from 0
    records bytea  NOT NULL,
    PRIMARY KEY (seq, part)
);
ALTER TABLE checkpoints ALTER COLUMN records SET STORAGE EXTERNAL; -- compressing would cost more than it saves
GRANT SELECT, INSERT, DELETE ON checkpoints TO zvt_app;
