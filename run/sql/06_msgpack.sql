-- Reads the msgpack of the log inside the database: zvt_msgpack(bytea) gives the plain values as jsonb, and
-- zvt_event_data(type, payload) the object with names, exactly as 'tail --json' prints it under "data".

-- A big-endian unsigned integer of 1, 2 or 4 bytes.
CREATE OR REPLACE FUNCTION zvt_uint(payload bytea, at int, width int) RETURNS bigint
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN CASE width
        WHEN 1 THEN get_byte(payload, at)
        WHEN 2 THEN get_byte(payload, at) * 256 + get_byte(payload, at + 1)
        ELSE get_byte(payload, at)::bigint * 16777216 + get_byte(payload, at + 1) * 65536 + get_byte(payload, at + 2) * 256
             + get_byte(payload, at + 3)
    END;
END $$;

-- The eight bytes at this place as a signed integer.
CREATE OR REPLACE FUNCTION zvt_int64(payload bytea, at int) RETURNS bigint
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT ('x' || encode(substring(payload FROM at + 1 FOR 8), 'hex'))::bit(64)::bigint
$$;

-- A uuid where it can be one, else hex.
CREATE OR REPLACE FUNCTION zvt_bin_text(bytes bytea) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN length(bytes) = 16 THEN encode(bytes, 'hex')::uuid::text ELSE encode(bytes, 'hex') END
$$;

-- One msgpack value as jsonb. The reader keeps the open arrays and maps on a stack and writes JSON text, which is
-- turned into jsonb once at the end: a function call per value would take several times as long.
--   left[depth]    values still missing in the container at that depth (a map counts keys and values)
--   is_map[depth]  it is a map
CREATE OR REPLACE FUNCTION zvt_msgpack(payload bytea) RETURNS jsonb
LANGUAGE plpgsql IMMUTABLE STRICT PARALLEL SAFE AS $$
DECLARE
    size    int := length(payload);
    at      int := 0;
    tag     int;
    n       bigint;           -- length of a text or container
    width   int;
    kind    text;             -- what follows: value, str, bin, array, map
    item    text;             -- a finished value as JSON
    json    text := '';
    depth   int := 0;
    missing bigint[] := '{}';
    is_map  boolean[] := '{}';
BEGIN
    LOOP
        IF at >= size THEN
            RAISE EXCEPTION 'msgpack ends before the value does (% bytes)', size USING ERRCODE = 'data_exception';
        END IF;
        tag := get_byte(payload, at);
        at := at + 1;
        kind := 'value';
        item := NULL;
        IF tag <= 127 THEN item := tag::text;
        ELSIF tag >= 224 THEN item := (tag - 256)::text;
        ELSIF tag >= 160 AND tag <= 191 THEN kind := 'str'; n := tag & 31;
        ELSIF tag >= 144 AND tag <= 159 THEN kind := 'array'; n := tag & 15;
        ELSIF tag <= 143 THEN kind := 'map'; n := tag & 15;
        ELSIF tag = 207 THEN
            n := zvt_int64(payload, at);
            item := CASE WHEN n < 0 THEN (n::numeric + 18446744073709551616)::text ELSE n::text END;
            at := at + 8;
        ELSIF tag = 211 THEN item := zvt_int64(payload, at)::text; at := at + 8;
        ELSIF tag = 192 THEN item := 'null';
        ELSIF tag = 194 THEN item := 'false';
        ELSIF tag = 195 THEN item := 'true';
        ELSIF tag BETWEEN 204 AND 206 THEN
            width := 1 << (tag - 204);
            item := zvt_uint(payload, at, width)::text;
            at := at + width;
        ELSIF tag BETWEEN 208 AND 210 THEN
            width := 1 << (tag - 208);
            n := zvt_uint(payload, at, width);
            IF n >= 1::bigint << (width * 8 - 1) THEN n := n - (1::bigint << (width * 8)); END IF;
            item := n::text;
            at := at + width;
        ELSIF tag BETWEEN 196 AND 198 OR tag BETWEEN 217 AND 219 THEN
            kind := CASE WHEN tag <= 198 THEN 'bin' ELSE 'str' END;
            width := 1 << (tag - CASE WHEN tag <= 198 THEN 196 ELSE 217 END);
            n := zvt_uint(payload, at, width);
            at := at + width;
        ELSIF tag BETWEEN 220 AND 223 THEN
            kind := CASE WHEN tag <= 221 THEN 'array' ELSE 'map' END;
            width := CASE WHEN tag IN (220, 222) THEN 2 ELSE 4 END;
            n := zvt_uint(payload, at, width);
            at := at + width;
        ELSE
            RAISE EXCEPTION 'msgpack tag % at byte % is not one that the log uses', tag, at - 1 USING ERRCODE = 'data_exception';
        END IF;

        IF kind IN ('str', 'bin') THEN
            IF n > size - at THEN
                RAISE EXCEPTION 'msgpack ends before the value does (% bytes)', size USING ERRCODE = 'data_exception';
            END IF;
            item := to_json(CASE kind WHEN 'str' THEN convert_from(substring(payload FROM at + 1 FOR n::int), 'UTF8')
                                      ELSE zvt_bin_text(substring(payload FROM at + 1 FOR n::int)) END)::text;
            at := at + n::int;
        ELSIF kind <> 'value' THEN
            -- Every value takes a byte at least: a larger claim is a lie.
            IF kind = 'map' THEN n := n * 2; END IF;
            IF n > size - at THEN
                RAISE EXCEPTION 'msgpack ends before the value does (% bytes)', size USING ERRCODE = 'data_exception';
            END IF;
            json := json || CASE kind WHEN 'map' THEN '{' ELSE '[' END;
            depth := depth + 1;
            missing[depth] := n;
            is_map[depth] := kind = 'map';
        END IF;
        IF item IS NOT NULL THEN
            -- A key of a JSON object is a text, whatever it is in msgpack.
            IF depth > 0 AND is_map[depth] AND missing[depth] % 2 = 0 AND left(item, 1) <> '"' THEN
                item := to_json(item)::text;
            END IF;
            json := json || item;
        END IF;

        -- Close what is complete, and set the separator before the next value.
        IF depth > 0 AND kind IN ('value', 'str', 'bin') THEN missing[depth] := missing[depth] - 1; END IF;
        WHILE depth > 0 AND missing[depth] = 0 LOOP
            json := json || CASE WHEN is_map[depth] THEN '}' ELSE ']' END;
            depth := depth - 1;
            IF depth > 0 THEN missing[depth] := missing[depth] - 1; END IF;
        END LOOP;
        EXIT WHEN depth = 0;
        IF right(json, 1) NOT IN ('[', '{') THEN
            json := json || CASE WHEN is_map[depth] AND missing[depth] % 2 = 1 THEN ': ' ELSE ', ' END;
        END IF;
    END LOOP;
    RETURN json::jsonb;
END $$;

-- UTC nanoseconds as ISO 8601, rounded down to microseconds also before 1970; 0 is no time.
CREATE OR REPLACE FUNCTION zvt_time_text(utc_ns bigint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT CASE WHEN utc_ns <> 0 THEN
        to_char(timestamp 'epoch' + (utc_ns / 1000000000) * interval '1 second'
                + floor(utc_ns % 1000000000 / 1000.0) * interval '1 microsecond', 'YYYY-MM-DD"T"HH24:MI:SS.US"Z"')
    END
$$;

-- Fixed point 1e-8 as the shortest exact decimal.
CREATE OR REPLACE FUNCTION zvt_decimal_text(value_e8 bigint) RETURNS text
LANGUAGE sql IMMUTABLE STRICT PARALLEL SAFE AS $$
    SELECT trim_scale(value_e8 * 0.00000001)::text
$$;

-- Gives names and formats to the values of a record. Fields that the schema does not know (a newer release wrote them)
-- are left out; fields that are not there (an older release wrote it) too.
CREATE OR REPLACE FUNCTION zvt_fields(record_type smallint, fields jsonb) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
BEGIN
    RETURN (
        SELECT coalesce(jsonb_object_agg(s.name, CASE s.kind
            WHEN 'e8' THEN to_jsonb(zvt_decimal_text((f.value #>> '{}')::bigint))
            WHEN 'ns' THEN coalesce(to_jsonb(zvt_time_text((f.value #>> '{}')::bigint)), 'null')
            WHEN 'id' THEN CASE WHEN f.value = '"00000000-0000-0000-0000-000000000000"' THEN 'null' ELSE f.value END
            WHEN 'enum' THEN to_jsonb(CASE WHEN f.value = '0' THEN '' ELSE coalesce(
                (SELECT e.text FROM enum_schema e WHERE e.enumeration = s.enumeration AND e.id = (f.value #>> '{}')::smallint), '?') END)
            WHEN 'part' THEN zvt_fields(s.part, f.value)
            WHEN 'list' THEN (SELECT coalesce(jsonb_agg(zvt_fields(s.part, p.value) ORDER BY p.n), '[]')
                              FROM jsonb_array_elements(f.value) WITH ORDINALITY p(value, n))
            ELSE f.value
        END), '{}')
        FROM jsonb_array_elements(fields) WITH ORDINALITY f(value, n)
        JOIN event_schema s ON s.type = record_type AND s.position = f.n);
END $$;

-- The payload of an event as an object. A type that event_schema does not have gives the plain array.
CREATE OR REPLACE FUNCTION zvt_event_data(record_type smallint, payload bytea) RETURNS jsonb
LANGUAGE plpgsql STABLE STRICT PARALLEL SAFE AS $$
DECLARE
    fields jsonb := zvt_msgpack(payload);
BEGIN
    IF NOT EXISTS (SELECT FROM event_schema s WHERE s.type = record_type) THEN
        RETURN fields;
    END IF;
    RETURN zvt_fields(record_type, fields);
END $$;
