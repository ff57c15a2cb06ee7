#include <stdlib.h>
#include <unistd.h>

#include "log_fixture.h"
#include "zvt_snapshot.h"

/* A core that remembers the names of the orders it was told of: just enough state to save and load. */
typedef struct {
    zvt_id_t orders[8];
    uint32_t count;
} names_t;

static char s_folder[64];
static names_t s_live;
static zvt_snapshot_t s_snapshot;

static void s_save(const void *state, zvt_snapshot_record_fn *record, void *arg)
{
    const names_t *names = state;
    for (uint32_t i = 0; i < names->count; i++) {
        zvt_order_completed_t completed = {.order_id = names->orders[i]};
        record(arg, ZVT_T_ORDER_COMPLETED, &completed);
    }
}

static int s_load(void *state, const zvt_record_t *record)
{
    names_t *names = state;
    if (record->type != ZVT_T_ORDER_COMPLETED || names->count == 8) return ZVT_ERR_TYPE;
    names->orders[names->count++] = record->order_completed.order_id;
    return 0;
}

static uint32_t s_dump(const void *state, FILE *out)
{
    const names_t *names = state;
    for (uint32_t i = 0; i < names->count; i++) fprintf(out, "%02x\n", names->orders[i].bytes[15]);
    return names->count;
}

static zvt_snapshot_core_t s_core(names_t *state)
{
    return (zvt_snapshot_core_t){.shard = 3, .state = state, .save = s_save, .load = s_load, .dump = s_dump};
}

static zvt_event_t s_event_at(uint64_t seq)
{
    return (zvt_event_t){.seq = seq, .event_id = s_id((unsigned)seq)};
}

/* A snapshot of three orders as of seq 20. */
static void s_setup(void)
{
    snprintf(s_folder, sizeof s_folder, "/tmp/zvt-test-snapshot.XXXXXX");
    cr_assert_not_null(mkdtemp(s_folder));
    zvt_snapshot_core_t core = s_core(&s_live);
    cr_assert(zvt_snapshot_open(&s_snapshot, &core, s_folder, "names"));
    cr_assert_eq(zvt_snapshot_from_seq(&s_snapshot), 1, "without a file the log is folded from its first event");
    for (unsigned n = 1; n <= 3; n++) s_live.orders[s_live.count++] = s_id(n);
    zvt_event_t event = s_event_at(20);
    cr_assert(zvt_snapshot_takes(&s_snapshot, &event));
    cr_assert_eq(zvt_snapshot_save(&s_snapshot), 0);
}

static void s_teardown(void)
{
    unlink(s_snapshot.path);
    rmdir(s_folder);
}

TestSuite(zvt_snapshot, .init = s_setup, .fini = s_teardown);

static bool s_open(zvt_snapshot_t *snapshot, names_t *names)
{
    zvt_snapshot_core_t core = s_core(names);
    memset(names, 0, sizeof *names);
    return zvt_snapshot_open(snapshot, &core, s_folder, "names");
}

Test(zvt_snapshot, a_restart_has_the_state_and_goes_on_with_the_event_it_ends_with)
{
    zvt_snapshot_t again;
    names_t names;
    cr_assert(s_open(&again, &names));
    cr_assert_eq(names.count, 3);
    cr_assert_eq(zvt_snapshot_from_seq(&again), 20);
    zvt_event_t last = s_event_at(20), next = s_event_at(21);
    cr_assert(!zvt_snapshot_takes(&again, &last), "it is in the state already");
    cr_assert_eq(again.state, ZVT_SNAPSHOT_PROVEN);
    cr_assert(zvt_snapshot_takes(&again, &next));
    cr_assert(!zvt_snapshot_is_foreign(&again, 21, true));
}

Test(zvt_snapshot, a_log_with_another_event_in_that_place_is_another_log)
{
    zvt_snapshot_t again;
    names_t names;
    cr_assert(s_open(&again, &names));
    zvt_event_t other = {.seq = 20, .event_id = s_id(999)};
    cr_assert(!zvt_snapshot_takes(&again, &other));
    cr_assert(zvt_snapshot_is_foreign(&again, 20, true));
    cr_assert_neq(access(again.path, F_OK), 0, "the file is deleted");
}

Test(zvt_snapshot, a_log_that_ends_before_it_is_another_log)
{
    zvt_snapshot_t again;
    names_t names;
    cr_assert(s_open(&again, &names));
    cr_assert(!zvt_snapshot_is_foreign(&again, 19, false), "its end is not known yet");
    cr_assert(zvt_snapshot_is_foreign(&again, 19, true));
}

Test(zvt_snapshot, any_damage_is_noticed_and_costs_only_the_fold)
{
    char bytes[1024];
    FILE *file = fopen(s_snapshot.path, "r");
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    for (size_t at = 0; at <= length; at++) {
        file = fopen(s_snapshot.path, "w");
        if (at == length) bytes[length] = 'x'; /* one byte too many */
        else bytes[at] ^= 0x11;
        fwrite(bytes, 1, at == length ? length + 1 : length, file);
        fclose(file);
        if (at < length) bytes[at] ^= 0x11;
        zvt_snapshot_t again;
        names_t names;
        bool opened = s_open(&again, &names);
        bool harmless = opened && names.count == 3; /* seq and event id are proven by the log, not by the file */
        cr_assert(harmless || (!opened && zvt_snapshot_from_seq(&again) == 1), "byte %zu", at);
    }
    for (size_t cut = 0; cut < length; cut++) {
        file = fopen(s_snapshot.path, "w");
        fwrite(bytes, 1, cut, file);
        fclose(file);
        zvt_snapshot_t again;
        names_t names;
        cr_assert(!s_open(&again, &names), "cut after %zu bytes", cut);
    }
}

static void s_fold_at(uint64_t seq)
{
    zvt_event_t event = s_event_at(seq);
    cr_assert(zvt_snapshot_takes(&s_snapshot, &event));
}

Test(zvt_snapshot, it_is_saved_when_that_is_worth_it_and_not_before)
{
    uint64_t before = s_snapshot.seq;
    s_fold_at(5000);
    zvt_snapshot_on_time(&s_snapshot, INT64_C(10000000000));
    cr_assert_eq(s_snapshot.seq, before, "too few events");
    s_fold_at(50000);
    zvt_snapshot_on_time(&s_snapshot, INT64_C(10000000000));
    cr_assert_eq(s_snapshot.seq, 50000);
    s_fold_at(90000);
    zvt_snapshot_on_time(&s_snapshot, INT64_C(10500000000));
    cr_assert_eq(s_snapshot.seq, 50000, "too soon");
}

Test(zvt_snapshot, a_log_that_passes_its_place_without_the_event_is_another_log)
{
    zvt_snapshot_t again;
    names_t names;
    cr_assert(s_open(&again, &names));
    zvt_event_t later = s_event_at(25);
    cr_assert(zvt_snapshot_takes(&again, &later));
    cr_assert(zvt_snapshot_is_foreign(&again, 25, false));
}

/* ---- a base: the bytes of such a file from elsewhere ---- */
Test(zvt_snapshot, its_bytes_can_be_taken_from_elsewhere_and_are_proven_by_the_log_like_a_file)
{
    char bytes[1024];
    FILE *file = fopen(s_snapshot.path, "r");
    size_t length = fread(bytes, 1, sizeof bytes, file);
    fclose(file);
    zvt_snapshot_t again = s_snapshot;
    names_t names = {.count = 0};
    zvt_snapshot_core_t core = s_core(&names);
    cr_assert(zvt_snapshot_take(&again, &core, bytes, length));
    cr_assert_eq(names.count, 3);
    cr_assert_eq(zvt_snapshot_from_seq(&again), 20);
    cr_assert_eq(again.state, ZVT_SNAPSHOT_PENDING);
    cr_assert_str_eq(again.path, s_snapshot.path, "it is saved where it always was");
    zvt_event_t last = s_event_at(20);
    cr_assert(!zvt_snapshot_takes(&again, &last));
    cr_assert_eq(again.state, ZVT_SNAPSHOT_PROVEN);
}

Test(zvt_snapshot, bytes_that_are_damaged_or_none_are_not_taken)
{
    names_t names = {.count = 0};
    zvt_snapshot_core_t core = s_core(&names);
    zvt_snapshot_t again = s_snapshot;
    cr_assert_not(zvt_snapshot_take(&again, &core, "", 0));
    cr_assert_not(zvt_snapshot_take(&again, &core, "zvt-snapshot 1 shard=3\n", 23));
    cr_assert_eq(zvt_snapshot_from_seq(&again), 1);
}
