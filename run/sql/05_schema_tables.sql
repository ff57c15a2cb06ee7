-- The schema of the wire, as data: what the functions of 06_msgpack.sql need to give names to the positional msgpack
-- of the log. The rows come from 'zvt-monitor schema --sql', which prints the same table that the binaries are built
-- from; loading them again is harmless.

CREATE TABLE IF NOT EXISTS event_schema (
    type        smallint NOT NULL, -- type id of the record
    event_type  text     NOT NULL, -- its wire name, such as order.executed
    position    int      NOT NULL, -- of the field in the payload, from 1
    name        text     NOT NULL, -- of the field
    kind        text     NOT NULL, -- id, str, i64, u64, u32, bool, e8, ns, enum, part, list
    enumeration text,              -- enum: its name
    part        smallint,          -- part and list: type of what is nested
    unit        text     NOT NULL, -- empty where the field needs none
    meaning     text     NOT NULL,
    PRIMARY KEY (type, position)
);

CREATE TABLE IF NOT EXISTS enum_schema (
    enumeration text     NOT NULL,
    id          smallint NOT NULL, -- the wire's value
    text        text     NOT NULL,
    meaning     text     NOT NULL,
    PRIMARY KEY (enumeration, id)
);

GRANT SELECT ON event_schema, enum_schema TO PUBLIC;
