/* log_rows -- the rows of the log as COPY BINARY sends them, one by one.
 *
 * Pure. A row is borrowed from the message that it came in.
 * Shapes   columns in the order of LOG_READER_COLUMNS, each behind its length; all but metadata and payload have one size.
 * Errors   ZVT_ERR_CORRUPT: not such a row. */
#ifndef LOG_ROWS_H
#define LOG_ROWS_H

#include "zvt_codec.h"

enum { LOG_ROWS_HEADER = 19 /* bytes before the first row: signature, flags, length of the extension */ };

typedef struct {
    zvt_event_t event;       /* all but its metadata */
    const uint8_t *metadata; /* msgpack, as the log stores it */
    size_t metadata_length;
} log_row_t;

/* Reads the row in a message of the stream; the first message begins with the stream's header. 1, or 0 when the message holds
 * no row but the stream's end, or ZVT_ERR_CORRUPT. */
ZVT_MUSTUSE int log_rows_read(const void *message, size_t length, bool first, log_row_t *row);
/* Appends the row as zvt_pack_event would, without reading what it only passes on. 0 or ZVT_ERR_FULL (buffer unchanged). */
ZVT_MUSTUSE int log_rows_pack(zvt_buf_t *buf, const log_row_t *row);

#endif
