/* Messages of a COPY stream from arbitrary bytes: refused or read, never more memory touched than given; what was read as a
 * row goes into an answer that the codec can read, unless its metadata or payload are no msgpack. In a file of the archive the
 * same bytes have a length of their own. */
#include <string.h>

#include "archive_chain.h"
#include "log_rows.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t bytes[65536];
    log_row_t row;
    archive_batch_t batch;
    for (unsigned columns = 4; columns <= 11; columns += 7) ZVT_ASSERT(archive_row_length(data, size, columns) <= (int64_t)size);
    if (archive_batch_read(data, size, &batch) == 0) ZVT_ASSERT(size == ARCHIVE_BATCH_ROW);
    for (int first = 0; first < 2; first++) {
        if (log_rows_read(data, size, first != 0, &row) != 1) continue;
        zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
        if (log_rows_pack(&buf, &row) != 0) continue;
        zvt_cursor_t cursor = zvt_cursor(buf.data, buf.length);
        zvt_event_t event;
        if (zvt_read_event(&cursor, &event) == 0) ZVT_ASSERT(event.seq == row.event.seq && event.type == row.event.type);
    }
    return 0;
}

/* A row of eleven columns, one message with and one without the stream's header. */
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    static const uint8_t sizes[] = {8, 16, 2, 2, 8, 16, 16, 16, 4, 3, 3};
    static const uint8_t emptied[] = {0x92, 0xa0, 0x01}; /* metadata without an emitter */
    if (n > 1 || capacity < 256) return 0;
    size_t length = n == 1 ? LOG_ROWS_HEADER : 0;
    memset(out, 0, 256);
    out[length + 1] = sizeof sizes;
    length += 2;
    for (size_t i = 0; i < sizeof sizes; i++) {
        out[length + 3] = sizes[i];
        length += 4;
        if (i >= 9) memcpy(out + length, emptied, sizeof emptied);
        else out[length + sizes[i] - 1] = 1;
        length += sizes[i];
    }
    return length;
}
