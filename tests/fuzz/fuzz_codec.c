/* Records and events from arbitrary bytes: refused or read, never more memory touched than given. */
#include <stdlib.h>
#include <string.h>

#include "zvt_codec.h"
#include "zvt_json.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

static zvt_record_t s_record;
static FILE *s_null;

/* What was read must be writable again, and printable. */
static void s_check_record(void)
{
    static uint8_t bytes[65536];
    zvt_buf_t buf = {.data = bytes, .capacity = sizeof bytes};
    ZVT_ASSERT(zvt_pack(&buf, s_record.type, &s_record.hello) == 0);
    if (s_null == NULL) s_null = fopen("/dev/null", "w");
    zvt_json_record(s_null, s_record.type, &s_record.hello);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    zvt_cursor_t cursor = zvt_cursor(data, size);
    while (!zvt_cursor_done(&cursor) && zvt_read(&cursor, &s_record) == 0) s_check_record();
    cursor = zvt_cursor(data, size);
    zvt_event_t event;
    while (!zvt_cursor_done(&cursor) && zvt_read_event(&cursor, &event) == 0)
        if (zvt_read_payload(&event, &s_record) == 0) s_check_record();
    return 0;
}

/* One seed per record type, then one event. */
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    zvt_buf_t buf = {.data = out, .capacity = capacity};
    unsigned seen = 0;
    for (unsigned type = 0; type < ZVT_T_LIMIT; type++) {
        const zvt_desc_t *desc = zvt_desc(type);
        if (desc == NULL || desc->class == ZVT_CLASS_PART || seen++ != n) continue;
        memset(&s_record, 0, sizeof s_record);
        ZVT_ASSERT(zvt_pack(&buf, desc->type, &s_record.hello) == 0);
        return buf.length;
    }
    if (n > seen) return 0;
    uint8_t payload[512];
    zvt_buf_t packed = {.data = payload, .capacity = sizeof payload};
    memset(&s_record, 0, sizeof s_record);
    ZVT_ASSERT(zvt_pack_payload(&packed, ZVT_T_ORDER_EXECUTED, &s_record.hello) == 0);
    zvt_event_t event = {.type = ZVT_T_ORDER_EXECUTED, .payload = payload, .payload_length = packed.length};
    ZVT_ASSERT(zvt_pack_event(&buf, &event) == 0);
    return buf.length;
}
