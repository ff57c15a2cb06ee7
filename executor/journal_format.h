/* journal_format -- the bytes of the emergency journal: wire records, each framed with its length and a checksum.
 *
 * Shapes   a frame is [length, 4 bytes][checksum, 4 bytes][packed record]; numbers are little-endian.
 * Bounds   JOURNAL_RECORD_MAX bytes a record.
 * Errors   reading: ZVT_ERR_CLOSED at the clean end; ZVT_ERR_TRUNCATED where the last append was cut off by a crash, and
 *          everything before it is whole; ZVT_ERR_CORRUPT where something else wrote to the file. Writing: ZVT_ERR_FULL
 *          (buffer unchanged).
 * Source   the checksum is FNV-1a (Fowler, Noll, Vo), 32 bits: it tells torn from whole, not malice. */
#ifndef EXECUTOR_JOURNAL_FORMAT_H
#define EXECUTOR_JOURNAL_FORMAT_H

#include "zvt_codec.h"

enum { JOURNAL_FRAME_SIZE = 8, JOURNAL_RECORD_MAX = 1024 };

ZVT_MUSTUSE int journal_format_append(zvt_buf_t *buf, zvt_type_t type, const void *record);
/* Reads the frame at *offset and moves it behind. */
ZVT_MUSTUSE int journal_format_read(const uint8_t *data, size_t length, size_t *offset, zvt_record_t *record);

#endif
