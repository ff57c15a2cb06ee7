/* zvt_codec -- records to msgpack and back.
 *
 * Shapes   a record is [type id, field, field ..]; an event is
 *          [seq, event_id, type id, version, timestamp, correlation_id, causation_id, aggregate_id,
 *           aggregate_version, metadata, [payload fields]]. A frame holds any number of them, one after another.
 * Bounds   nothing is allocated: writing stops at the buffer's capacity, reading never trusts a claimed length.
 * Errors   writing: ZVT_ERR_FULL (buffer unchanged). Reading: ZVT_ERR_TRUNCATED, _TYPE, _RANGE, _UNKNOWN; the
 *          cursor then stands anywhere, and the rest of the frame must be dropped.
 * Evolution  trailing fields that the reader does not know are skipped; a missing field is an error. */
#ifndef ZVT_CODEC_H
#define ZVT_CODEC_H

#include "zvt_schema.h"

/* A byte buffer with a fixed capacity. */
typedef struct {
    uint8_t *data; /* borrowed or owned by whoever made the buffer */
    size_t length; /* bytes written */
    size_t capacity;
} zvt_buf_t;

/* Owns its memory; aborts the process when there is none (only called at start). */
zvt_buf_t zvt_buf_new(size_t capacity);
void zvt_buf_destroy(zvt_buf_t *self);
ZVT_MUSTUSE int zvt_buf_append(zvt_buf_t *self, const void *data, size_t length);

/* A reading position in borrowed bytes. */
typedef struct {
    const uint8_t *at;
    const uint8_t *end;
} zvt_cursor_t;

zvt_cursor_t zvt_cursor(const void *data, size_t length);
static inline bool zvt_cursor_done(const zvt_cursor_t *self) { return self->at >= self->end; }

/* Header of an event; the payload is a record of a LOGGED type. */
typedef struct {
    uint64_t seq;               /* place in the shard's log, from 1, no gaps; 0 before it is appended */
    zvt_id_t event_id;          /* UUIDv7 */
    zvt_type_t type;            /* of the payload */
    uint32_t version;           /* of the payload's schema */
    int64_t timestamp_ns;       /* UTC, when the orchestrator made it */
    zvt_id_t correlation_id;    /* the saga */
    zvt_id_t causation_id;      /* the event or message that caused it */
    zvt_id_t aggregate_id;      /* the order, position or system it belongs to */
    uint32_t aggregate_version; /* 1, 2, 3 .. within the aggregate */
    zvt_metadata_t metadata;
    const uint8_t *payload;     /* reading: the payload's msgpack, borrowed from the frame */
    size_t payload_length;
} zvt_event_t;

/* Appends [type id, fields..]. `record` is the struct of that type. */
ZVT_MUSTUSE int zvt_pack(zvt_buf_t *buf, zvt_type_t type, const void *record);
/* Appends [fields..] without the type id: the payload column of the log. */
ZVT_MUSTUSE int zvt_pack_payload(zvt_buf_t *buf, zvt_type_t type, const void *record);
/* Appends metadata as the log stores it. */
ZVT_MUSTUSE int zvt_pack_metadata(zvt_buf_t *buf, const zvt_metadata_t *metadata);
/* Appends an event whose payload is already packed in event->payload. */
ZVT_MUSTUSE int zvt_pack_event(zvt_buf_t *buf, const zvt_event_t *event);

/* Reads the next record, which must be of a known type. */
ZVT_MUSTUSE int zvt_read(zvt_cursor_t *cursor, zvt_record_t *record);
/* Reads the next event's header and steps over its payload. */
ZVT_MUSTUSE int zvt_read_event(zvt_cursor_t *cursor, zvt_event_t *event);
/* Reads the payload of an event. */
ZVT_MUSTUSE int zvt_read_payload(const zvt_event_t *event, zvt_record_t *record);
ZVT_MUSTUSE int zvt_read_metadata(const void *data, size_t length, zvt_metadata_t *metadata);

#endif
