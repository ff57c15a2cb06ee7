#include <criterion/criterion.h>
#include <unistd.h>

#include "sample.h"
#include "source.h"
#include "venue_fixture.h"

static fixture_tape_t s_tape;
static char s_replay[160], s_position[160];

static source_t *s_open(const char *replay, double speed, uint32_t venue)
{
    source_t *source = NULL;
    char problem[ZVT_PROBLEM_SIZE] = "";
    source_config_t config = {.fleet = fixture_fleet(), .venue = venue, .seed = 42, .replay = replay, .speed = speed,
                              .position_path = s_position, .events = fixture_events(&s_tape)};
    cr_assert_eq(source_new(&source, &config, problem), 0, "%s", problem);
    return source;
}

static void s_setup(void)
{
    char problem[ZVT_PROBLEM_SIZE];
    snprintf(s_replay, sizeof s_replay, "%s", fixture_path("replay.jsonl"));
    snprintf(s_position, sizeof s_position, "%s", fixture_path("replay.position"));
    cr_assert_eq(sample_write(fixture_fleet(), 0, 42, s_replay, 10, problem), 0);
}

TestSuite(source, .init = s_setup);

Test(source, the_synthetic_market_steps_with_the_clock)
{
    source_t *source = s_open(NULL, 1, 0);
    cr_assert_str_eq(source_fingerprint(source), "synthetic seed=42");
    int64_t utc_ns = 5000 * ZVT_SECOND_NS, now_ns = 100 * ZVT_SECOND_NS;
    source_start(source, utc_ns - 50 * ZVT_SECOND_NS, utc_ns, now_ns);
    cr_assert(source_advance(source, now_ns));
    cr_assert_eq(source_market_ns(source), utc_ns);
    cr_assert(!source_advance(source, now_ns + 99 * ZVT_MS_NS));
    cr_assert_eq(source_next_ns(source, now_ns), now_ns + 100 * ZVT_MS_NS);
    cr_assert(source_advance(source, now_ns + 100 * ZVT_MS_NS));
    cr_assert(source_advance(source, now_ns + 3600 * ZVT_SECOND_NS), "a long pause is skipped");
    cr_assert_eq(source_market_ns(source), utc_ns + 3600 * ZVT_SECOND_NS);
    cr_assert(source_is_open(source));
    source_destroy(&source);
}

Test(source, a_recording_plays_at_its_speed_and_ends_with_a_message)
{
    source_t *source = s_open(s_replay, 2, 0);
    cr_assert_str_eq(source_fingerprint(source), "recorded replay.jsonl");
    int64_t now_ns = ZVT_SECOND_NS;
    source_start(source, 0, 0, now_ns);
    (void)source_advance(source, now_ns);
    int64_t begin_ns = source_market_ns(source);
    for (int i = 0; i < 20; i++) (void)source_advance(source, now_ns += 100 * ZVT_MS_NS);
    double played_s = (double)(source_market_ns(source) - begin_ns) / 1e9;
    cr_assert(played_s > 3.7 && played_s <= 4.0, "%g s of the recording in 2 s", played_s);
    cr_assert(source_is_open(source));
    for (int i = 0; i < 60; i++) (void)source_advance(source, now_ns += 100 * ZVT_MS_NS);
    cr_assert(!source_is_open(source));
    cr_assert_not_null(strstr(source_message(source), "has ended"));
    cr_assert_eq(source_next_ns(source, now_ns), 0);
    source_destroy(&source);
}

Test(source, at_full_speed_the_consumers_set_the_pace)
{
    source_t *source = s_open(s_replay, 0, 0);
    cr_assert(source_is_unpaced(source));
    source_start(source, 0, 0, 1);
    uint32_t slices = 0;
    while (source_is_open(source)) {
        cr_assert_eq(source_next_ns(source, 1), 1);
        cr_assert(source_advance(source, 1));
        slices++;
    }
    cr_assert_gt(slices, 50);
    source_destroy(&source);
}

Test(source, a_killed_venue_goes_on_where_it_was)
{
    source_t *source = s_open(s_replay, 0, 0);
    source_start(source, 0, 0, 1);
    for (int i = 0; i < 30; i++) (void)source_advance(source, 1);
    int64_t there_ns = source_market_ns(source);
    source_save_position(source);
    source_destroy(&source);
    source = s_open(s_replay, 0, 0);
    source_resume(source);
    source_start(source, 0, 0, 1);
    cr_assert_eq(source_market_ns(source), there_ns);
    source_destroy(&source);
}

Test(source, a_recording_that_has_ended_stays_closed_however_the_venue_ends)
{
    source_t *source = s_open(s_replay, 0, 0);
    source_start(source, 0, 0, 1);
    while (source_is_open(source)) (void)source_advance(source, 1);
    source_destroy(&source); /* killed: nothing is saved on the way out */
    source = s_open(s_replay, 0, 0);
    source_resume(source);
    cr_assert(!source_is_open(source));
    source_save_position(source);
    source_destroy(&source); /* stopped in order */
    source = s_open(s_replay, 0, 0);
    source_resume(source);
    cr_assert(!source_is_open(source));
    source_destroy(&source);
    unlink(s_position);
    source = s_open(s_replay, 0, 0);
    source_resume(source);
    cr_assert(source_is_open(source), "without its position it is played again");
    source_destroy(&source);
}

Test(source, a_position_of_another_recording_is_not_used)
{
    static const char text[] = "0 50 recorded other.jsonl\n";
    fixture_write(s_position, text, strlen(text));
    source_t *source = s_open(s_replay, 0, 0);
    source_resume(source);
    cr_assert_eq(source_market_ns(source), 0);
    source_destroy(&source);
}

Test(source, a_venue_that_takes_no_part_in_a_recorded_market_is_closed)
{
    source_t *source = s_open(s_replay, 1, 1);
    cr_assert_str_eq(source_fingerprint(source), "none");
    cr_assert(!source_is_open(source));
    cr_assert_not_null(strstr(source_message(source), "no part"));
    market_t market = source_market(source);
    market_take_t take = {.quantity_e8 = E8(1)};
    market_preview_t preview;
    market.ops->preview(market.market, &take, &preview);
    cr_assert(!preview.crosses);
    cr_assert_eq(source_next_ns(source, 1), 0);
    source_destroy(&source);
}
