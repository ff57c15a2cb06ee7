#include <criterion/criterion.h>
#include <fcntl.h>
#include <inttypes.h>
#include <signal.h>
#include <sys/file.h>
#include <sys/resource.h>

#include "account_image.h"
#include "checkpoint.h"
#include "venue_fixture.h"

enum { IDS_MAX = 2000, BATCHES = 700 };

static checkpoint_paths_t s_paths;
static account_core_t *s_account; /* that a replay goes to */
static uint64_t s_read;           /* records replayed */

static void s_setup(void)
{
    static char ledger[160], checkpoint[160];
    snprintf(ledger, sizeof ledger, "%s", fixture_path("a.ledger"));
    snprintf(checkpoint, sizeof checkpoint, "%s", fixture_path("a.checkpoint"));
    s_paths = (checkpoint_paths_t){.ledger = ledger, .checkpoint = checkpoint};
}

TestSuite(checkpoint, .init = s_setup);

static account_config_t s_config(void)
{
    return (account_config_t){.fleet = fixture_fleet(), .venue = 0, .ids_max = IDS_MAX};
}

static int s_on_record(void *arg, const zvt_record_t *record)
{
    (void)arg;
    s_read++;
    return account_core_replay(s_account, record, 1000);
}

static ledger_t *s_open(const ledger_mark_t *from)
{
    ledger_t *ledger = NULL;
    ledger_header_t header = {.venue = "alpha", .market = "synthetic seed=42", .origin_ns = 777};
    char problem[ZVT_PROBLEM_SIZE] = "";
    s_read = 0;
    cr_assert_eq(ledger_open(&ledger, s_paths.ledger, &header, from, s_on_record, NULL, problem), 0, "%s", problem);
    return ledger;
}

/* Each batch: an order, accepted and, but for every tenth, canceled. */
static void s_trade(uint64_t batches, uint32_t run)
{
    account_config_t config = s_config();
    s_account = account_core_new(&config);
    ledger_t *ledger = s_open(NULL);
    uint64_t seq = ledger_committed_seq(ledger);
    for (uint64_t i = 0; i < batches; i++) {
        zvt_order_send_t order = fixture_order("", ZVT_SIDE_BUY, 1, 100);
        snprintf(order.client_order_id, sizeof order.client_order_id, "run%u-%" PRIu64, run, i);
        zvt_report_t report = {.kind = ZVT_REPORT_KIND_ACCEPTED, .side = ZVT_SIDE_BUY, .code = ZVT_CODE_OK};
        ZVT_STR_SET(report.client_order_id, order.client_order_id);
        cr_assert_eq(ledger_append(ledger, ZVT_T_ORDER_SEND, &order), 0);
        report.venue_seq = ++seq;
        cr_assert_eq(ledger_append(ledger, ZVT_T_REPORT, &report), 0);
        report.kind = ZVT_REPORT_KIND_CANCELED;
        if (i % 10 != 0) {
            report.venue_seq = ++seq;
            cr_assert_eq(ledger_append(ledger, ZVT_T_REPORT, &report), 0);
        }
        cr_assert_eq(ledger_commit(ledger), 0);
    }
    ledger_close(&ledger);
    account_core_destroy(&s_account);
}

static void s_renew(void)
{
    char problem[ZVT_PROBLEM_SIZE] = "";
    account_config_t config = s_config();
    cr_assert_eq(checkpoint_renew(&s_paths, &config, problem), 0, "%s", problem);
}

static int s_digest_piece(void *arg, const void *bytes, size_t length)
{
    zvt_id_t piece = zvt_id_from_text(bytes, length), *digest = arg;
    zvt_id_t both[2] = {*digest, piece};
    *digest = zvt_id_from_text((const char *)both, sizeof both);
    return 0;
}

static zvt_id_t s_digest(const account_core_t *account)
{
    zvt_id_t digest = {{0}};
    cr_assert_eq(account_image_save(account, s_digest_piece, &digest), 0);
    return digest;
}

/* Starts as a venue does. Returns the number of batches that it had not to read. */
static uint64_t s_start(zvt_id_t *digest, ledger_t **ledger)
{
    account_config_t config = s_config();
    ledger_mark_t mark = ledger_mark_new();
    s_account = checkpoint_begin(&s_paths, &config, &mark);
    uint64_t covered = mark.batches;
    ledger_t *opened = s_open(&mark);
    *digest = s_digest(s_account);
    account_core_destroy(&s_account);
    ledger_mark_destroy(&mark);
    if (ledger != NULL)
        *ledger = opened;
    else
        ledger_close(&opened);
    return covered;
}

/* The fold of the whole ledger. */
static zvt_id_t s_whole(void)
{
    account_config_t config = s_config();
    s_account = account_core_new(&config);
    ledger_t *ledger = s_open(NULL);
    zvt_id_t digest = s_digest(s_account);
    ledger_close(&ledger);
    account_core_destroy(&s_account);
    return digest;
}

/* A start that uses `covered` batches of the checkpoint and is right. */
static void s_check_start(uint64_t covered, const char *when)
{
    zvt_id_t digest, whole = s_whole();
    cr_assert_eq(s_start(&digest, NULL), covered, "%s", when);
    cr_assert(zvt_id_equal(&digest, &whole), "%s", when);
}

static size_t s_load_file(const char *path, uint8_t *bytes, size_t capacity)
{
    FILE *file = fopen(path, "rb");
    cr_assert_not_null(file);
    size_t size = fread(bytes, 1, capacity, file);
    fclose(file);
    return size;
}

typedef struct {
    uint64_t last;
    uint32_t left;
} range_t;

static bool s_on_report(void *arg, const zvt_report_t *report, const uint8_t *bytes, size_t length)
{
    (void)bytes, (void)length;
    range_t *range = arg;
    cr_assert_eq(report->venue_seq, range->last + 1);
    range->last = report->venue_seq;
    return --range->left > 0;
}

Test(checkpoint, a_start_reads_only_what_is_behind_it)
{
    s_check_start(0, "without one");
    s_trade(BATCHES, 1);
    s_renew();
    s_check_start(BATCHES, "nothing behind it");
    s_trade(3, 2);
    zvt_id_t digest, whole = s_whole();
    ledger_t *ledger;
    cr_assert_eq(s_start(&digest, &ledger), (uint64_t)BATCHES);
    cr_assert_eq(s_read, 3 + 1 + 2 + 2u, "the records of three batches");
    cr_assert(zvt_id_equal(&digest, &whole));
    uint64_t seq = ledger_committed_seq(ledger);
    cr_assert_eq(seq, BATCHES * 19u / 10 + 5);
    for (uint64_t after = 0; after < seq; after += 37) {
        range_t range = {.last = after, .left = 3};
        cr_assert_eq(ledger_reports(ledger, after, s_on_report, &range), 0);
        cr_assert_eq(range.last, after + 3 <= seq ? after + 3 : seq);
    }
    cr_assert_eq(ledger_batches(ledger), BATCHES + 3u);
    ledger_close(&ledger);
}

Test(checkpoint, one_is_renewed_from_the_one_before)
{
    for (uint32_t run = 1; run <= 4; run++) {
        s_trade(50, run);
        s_renew();
        s_check_start(50 * run, "each time");
    }
    struct stat before, after;
    cr_assert_eq(stat(s_paths.checkpoint, &before), 0);
    s_renew();
    cr_assert_eq(stat(s_paths.checkpoint, &after), 0);
    cr_assert_eq(before.st_ino, after.st_ino, "there was nothing new");
}

Test(checkpoint, a_damaged_one_is_passed_over_wherever_it_is_damaged)
{
    static uint8_t bytes[1 << 20];
    s_trade(60, 1);
    s_renew();
    size_t size = s_load_file(s_paths.checkpoint, bytes, sizeof bytes);
    zvt_id_t digest, whole = s_whole();
    for (size_t at = 0; at < size; at += at < 1200 ? 29 : 3001) {
        bytes[at] ^= (uint8_t)(1 << at % 8);
        fixture_write(s_paths.checkpoint, bytes, size);
        cr_assert_eq(s_start(&digest, NULL), 0u, "bit flipped at %zu of %zu", at, size);
        cr_assert(zvt_id_equal(&digest, &whole));
        bytes[at] ^= (uint8_t)(1 << at % 8);
        fixture_write(s_paths.checkpoint, bytes, at);
        cr_assert_eq(s_start(&digest, NULL), 0u, "cut off at %zu of %zu", at, size);
        cr_assert(zvt_id_equal(&digest, &whole));
    }
    fixture_write(s_paths.checkpoint, bytes, size);
    cr_assert_eq(s_start(&digest, NULL), 60u, "whole again");
    s_trade(1, 2);
    fixture_write(s_paths.checkpoint, bytes, size - 1);
    s_renew();
    s_check_start(61, "a damaged one is replaced");
}

Test(checkpoint, one_of_another_ledger_is_passed_over)
{
    static uint8_t older[8 << 20];
    s_trade(20, 1);
    size_t size = s_load_file(s_paths.ledger, older, sizeof older);
    s_trade(20, 2);
    s_renew();
    fixture_write(s_paths.ledger, older, size);
    s_check_start(0, "the ledger was restored from before");
    s_trade(20, 3);
    s_check_start(0, "it has as many batches again, of the same size");
    s_renew();
    s_check_start(40, "renewed");
    cr_assert_eq(unlink(s_paths.ledger), 0);
    s_check_start(0, "the ledger begins anew");
}

Test(checkpoint, one_that_is_ahead_of_a_torn_ledger_is_passed_over)
{
    s_trade(20, 1);
    zvt_id_t digest;
    ledger_t *ledger;
    cr_assert_eq(s_start(&digest, &ledger), 0u);
    long end = (long)ledger_bytes(ledger);
    ledger_close(&ledger);
    s_trade(1, 2);
    s_renew();
    s_check_start(21, "before");
    char zeros[64] = {0};
    FILE *file = fopen(s_paths.ledger, "r+b");
    cr_assert_not_null(file);
    cr_assert_eq(fseek(file, end + 40, SEEK_SET), 0);
    cr_assert_eq(fwrite(zeros, 1, sizeof zeros, file), sizeof zeros);
    fclose(file);
    s_check_start(0, "the last batch, which it covers, never became durable");
    s_renew();
    s_check_start(20, "renewed");
}

Test(checkpoint, one_of_another_fleet_file_is_passed_over)
{
    static zvt_fleet_t other;
    s_trade(20, 1);
    s_renew();
    other = *fixture_fleet();
    ZVT_STR_SET(other.instruments[1].symbol, "ETH/USDC");
    account_config_t config = {.fleet = &other, .venue = 0, .ids_max = IDS_MAX};
    ledger_mark_t mark = ledger_mark_new();
    account_core_t *account = checkpoint_begin(&s_paths, &config, &mark);
    cr_assert_eq(mark.batches, 0u);
    cr_assert_eq(mark.index_count, 0u);
    cr_assert_eq(account_core_venue_seq(account), 0u);
    account_core_destroy(&account);
    ledger_mark_destroy(&mark);
}

Test(checkpoint, a_full_disk_leaves_the_one_that_is_there)
{
    char problem[ZVT_PROBLEM_SIZE] = "", next[200];
    s_trade(20, 1);
    s_renew();
    s_trade(20, 2);
    signal(SIGXFSZ, SIG_IGN);
    struct rlimit limit = {.rlim_cur = 4096, .rlim_max = RLIM_INFINITY};
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    account_config_t config = s_config();
    cr_assert_eq(checkpoint_renew(&s_paths, &config, problem), ZVT_ERR_IO);
    limit.rlim_cur = RLIM_INFINITY;
    cr_assert_eq(setrlimit(RLIMIT_FSIZE, &limit), 0);
    cr_assert_not_null(strstr(problem, "File too large"), "%s", problem);
    snprintf(next, sizeof next, "%s.next", s_paths.checkpoint);
    cr_assert_neq(access(next, F_OK), 0, "its room is given back");
    s_check_start(20, "the old one");
}

Test(checkpoint, two_at_a_time_do_not_mix)
{
    char problem[ZVT_PROBLEM_SIZE] = "", next[200];
    s_trade(20, 1);
    snprintf(next, sizeof next, "%s.next", s_paths.checkpoint);
    int fd = open(next, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    cr_assert_geq(fd, 0);
    cr_assert_eq(flock(fd, LOCK_EX), 0);
    account_config_t config = s_config();
    cr_assert_eq(checkpoint_renew(&s_paths, &config, problem), ZVT_ERR_EXISTS);
    close(fd);
    s_renew();
    s_check_start(20, "when the other has ended");
}
