/* fuzz_executor_journal -- bytes as the kill switch's journal: whatever loads must fold to a state that can be written,
 * read again, and comes out the same. */
#include <stdlib.h>
#include <string.h>

#include "emergency_core.h"
#include "journal_format.h"
#include "zvt_diag.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

static zvt_fleet_t s_fleet;
static uint8_t s_file[EMERGENCY_JOURNAL_MAX];
static size_t s_file_length;

static int s_append(void *arg, const void *data, size_t length)
{
    (void)arg;
    if (s_file_length + length > sizeof s_file) abort();
    memcpy(s_file + s_file_length, data, length);
    s_file_length += length;
    return 0;
}

static int s_replace(void *arg, const void *data, size_t length)
{
    (void)arg;
    if (length > sizeof s_file) abort();
    memcpy(s_file, data, length);
    s_file_length = length;
    return 0;
}

static void s_halt(void *arg, const char *reason)
{
    (void)arg;
    (void)reason;
}

static uint32_t s_withdraw(void *arg, const char *client_order_id, size_t length)
{
    (void)arg;
    (void)client_order_id;
    (void)length;
    return 0;
}

static bool s_is_reachable(void *arg, uint32_t venue)
{
    (void)arg;
    (void)venue;
    return true;
}

static void s_to_gateway(void *arg, uint32_t venue, zvt_type_t type, const void *record)
{
    (void)arg;
    (void)venue;
    (void)type;
    (void)record;
}

static void s_cancel(void *arg, uint32_t venue, const char *client_order_id)
{
    (void)arg;
    (void)venue;
    (void)client_order_id;
}

static void s_reply(void *arg, const emergency_client_t *client, const zvt_kill_reply_t *reply)
{
    (void)arg;
    (void)client;
    (void)reply;
}

static void s_notice(void *arg, const zvt_kill_notice_t *notice)
{
    (void)arg;
    (void)notice;
}

static emergency_core_t *s_load(const uint8_t *data, size_t size)
{
    emergency_out_t out = {.append = s_append, .replace = s_replace, .halt = s_halt, .withdraw = s_withdraw,
                           .is_reachable = s_is_reachable, .to_gateway = s_to_gateway, .cancel = s_cancel, .reply = s_reply,
                           .notice = s_notice};
    emergency_core_t *core = emergency_core_new(&s_fleet, &out, 1);
    if (emergency_core_load(core, data, size) != 0) emergency_core_destroy(&core);
    return core;
}

/* Frames the bytes as one record whose checksum is right, so that mutations reach what is inside. */
static size_t s_framed(const uint8_t *data, size_t size, uint8_t *out)
{
    zvt_cursor_t cursor = zvt_cursor(data, size);
    static zvt_record_t record;
    zvt_buf_t buf = {.data = out, .capacity = EMERGENCY_JOURNAL_MAX};
    while (!zvt_cursor_done(&cursor) && zvt_read(&cursor, &record) == 0)
        if (journal_format_append(&buf, record.type, &record.hello) != 0) break;
    return buf.length;
}

static void s_try(const uint8_t *data, size_t size)
{
    static uint8_t s_again[EMERGENCY_JOURNAL_MAX];
    zvt_kill_request_t request = {.action = ZVT_KILL_KILL};
    emergency_client_t client = {{0}};
    emergency_core_t *core = s_load(data, size);
    if (core == NULL) return;
    emergency_core_on_request(core, &client, &request, (pacer_now_t){.utc_ns = 1, .monotonic_ns = 1});
    uint32_t entries = emergency_core_entries(core);
    memcpy(s_again, s_file, s_file_length);
    emergency_core_t *second = s_load(s_again, s_file_length);
    if (second == NULL || emergency_core_entries(second) != entries || !emergency_core_is_latched(second, NULL)) abort();
    emergency_core_destroy(&second);
    emergency_core_destroy(&core);
}

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static uint8_t s_bytes[EMERGENCY_JOURNAL_MAX];
    char problem[ZVT_PROBLEM_SIZE];
    static const char text[] = "instruments\n    BTC/USDT\n        tick = 0.01\n        lot = 0.001\n        max_quantity = 20\n"
                               "        max_position = 100\nvenues\n    alpha\n        balances\n            USDT = 100000\n";
    if (s_fleet.venues_count == 0) {
        zvt_diag_init("fuzz", ZVT_DIAG_ERROR);
        if (zvt_fleet_parse(text, "fuzz", &s_fleet, problem) != 0) abort();
    }
    if (size <= EMERGENCY_JOURNAL_MAX) s_try(data, size);
    s_try(s_bytes, s_framed(data, size, s_bytes));
    return 0;
}

/* Seed 0: records without frames. Seed 1: the same as a journal. */
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    if (n > 1 || capacity < 2048) return 0;
    zvt_buf_t buf = {.data = out, .capacity = capacity};
    zvt_kill_notice_t notice = {.requested_by = "operator", .reason = "a seed", .at_ns = 5};
    for (uint8_t action = ZVT_KILL_CANCEL; action <= ZVT_KILL_RESUME; action++) {
        notice.action = action;
        notice.entry_id.bytes[15] = action;
        int status = n == 0 ? zvt_pack(&buf, ZVT_T_KILL_NOTICE, &notice) : journal_format_append(&buf, ZVT_T_KILL_NOTICE, &notice);
        if (status != 0) abort();
    }
    zvt_kill_noted_t noted = {.entry_id = notice.entry_id};
    int status = n == 0 ? zvt_pack(&buf, ZVT_T_KILL_NOTED, &noted) : journal_format_append(&buf, ZVT_T_KILL_NOTED, &noted);
    if (status != 0) abort();
    return buf.length;
}
