#include <criterion/criterion.h>

#include "player.h"
#include "sample.h"
#include "venue_fixture.h"
#include "zvt_time.h"

static fixture_tape_t s_tape;
static recorded_core_t *s_market;

static player_t *s_open(const char *files)
{
    char problem[ZVT_PROBLEM_SIZE] = "";
    market_events_t events = fixture_events(&s_tape);
    player_t *player = NULL;
    s_market = recorded_core_new(fixture_fleet(), &events);
    cr_assert_eq(player_new(&player, fixture_fleet(), files, s_market, problem), 0, "%s", problem);
    return player;
}

static void s_close(player_t **player)
{
    player_destroy(player);
    recorded_core_destroy(&s_market);
}

static void s_play_all(player_t *player)
{
    while (!player_has_ended(player)) cr_assert_gt(player_advance(player, INT64_MAX), 0);
}

static const char *s_write_sample(const char *name, int64_t seconds)
{
    const char *path = fixture_path(name);
    char problem[ZVT_PROBLEM_SIZE] = "";
    cr_assert_eq(sample_write(fixture_fleet(), 0, 42, path, seconds, problem), 0, "%s", problem);
    return path;
}

Test(player, the_rebuilt_book_of_a_sample_equals_its_book_ticker_everywhere)
{
    player_t *player = s_open(s_write_sample("sample.jsonl.gz", 60));
    s_play_all(player);
    const recorded_counts_t *counts = recorded_core_counts(s_market);
    cr_assert_gt(counts->compared, 100);
    cr_assert_eq(counts->differing, 0);
    cr_assert_eq(counts->depth_gaps, 0);
    cr_assert_eq(counts->snapshots, 1);
    cr_assert_gt(counts->trades, 10);
    cr_assert_eq(player_counts(player)->malformed, 0);
    cr_assert_eq(player_unknown_symbols(player), 0);
    s_close(&player);
}

Test(player, the_rebuilt_book_of_the_recorded_days_equals_book_ticker_at_all_1072_common_ids)
{
    const char *folder = getenv("ZVT_SHARED_DATA");
    char files[1024], first[512];
    if (folder == NULL) folder = SHARED_DATA;
    snprintf(first, sizeof first, "%s/binance_spot_btcusdt_20240808.jsonl.gz", folder);
    snprintf(files, sizeof files, "%s,%s/binance_spot_btcusdt_20240809.jsonl.gz", first, folder);
    if (access(first, R_OK) != 0) cr_skip_test("no recorded data in %s; the sample's test stands for it", folder);
    player_t *player = s_open(files);
    s_play_all(player);
    const recorded_counts_t *counts = recorded_core_counts(s_market);
    cr_assert_eq(counts->compared, 1072);
    cr_assert_eq(counts->differing, 0);
    cr_assert_eq(counts->depth_gaps, 0);
    cr_assert_eq(counts->trades, 19904);
    cr_assert_eq(counts->quotes, 73174);
    cr_assert_eq(player_counts(player)->malformed, 0);
    s_close(&player);
}

Test(player, the_same_arguments_write_the_same_sample)
{
    static char a[1 << 20], b[1 << 20];
    char problem[ZVT_PROBLEM_SIZE];
    size_t lengths[2];
    for (int i = 0; i < 2; i++) {
        const char *path = fixture_path(i == 0 ? "one.jsonl" : "two.jsonl");
        cr_assert_eq(sample_write(fixture_fleet(), 0, 7, path, 5, problem), 0);
        FILE *in = fopen(path, "rb");
        lengths[i] = fread(i == 0 ? a : b, 1, sizeof a, in);
        fclose(in);
    }
    cr_assert_eq(lengths[0], lengths[1]);
    cr_assert_gt(lengths[0], 1000);
    cr_assert_eq(memcmp(a, b, lengths[0]), 0);
}

Test(player, plays_only_as_far_as_it_is_told)
{
    player_t *player = s_open(s_write_sample("paced.jsonl", 10));
    int64_t begin_ns = player_next_ns(player);
    player_advance(player, begin_ns + 2 * ZVT_SECOND_NS);
    cr_assert_leq(player_market_ns(player), begin_ns + 2 * ZVT_SECOND_NS);
    cr_assert_gt(player_next_ns(player), begin_ns + 2 * ZVT_SECOND_NS);
    cr_assert(!player_has_ended(player));
    s_close(&player);
}

Test(player, skipping_to_a_place_gives_the_book_that_was_there)
{
    const char *path = s_write_sample("skip.jsonl", 20);
    zvt_level_t there[20], again[20];
    player_t *player = s_open(path);
    player_advance(player, player_next_ns(player) + 10 * ZVT_SECOND_NS);
    uint32_t file = player_file(player);
    uint64_t line = player_line(player);
    market_t market = recorded_core_market(s_market);
    uint32_t count = market.ops->levels(market.market, 0, ZVT_SIDE_BUY, there, 20);
    s_close(&player);
    player = s_open(path);
    player_skip_to(player, file, line);
    cr_assert_eq(player_line(player), line);
    market = recorded_core_market(s_market);
    cr_assert_eq(market.ops->levels(market.market, 0, ZVT_SIDE_BUY, again, 20), count);
    cr_assert_eq(memcmp(there, again, count * sizeof *there), 0);
    s_close(&player);
}

Test(player, a_missing_depth_line_is_a_gap_and_quotes_carry_on)
{
    const char *path = s_write_sample("gap.jsonl", 10);
    static char text[4 << 20], kept[4 << 20];
    FILE *in = fopen(path, "rb");
    size_t length = fread(text, 1, sizeof text - 1, in), kept_length = 0;
    fclose(in);
    text[length] = '\0';
    int diffs = 0;
    for (char *line = text; *line != '\0';) {
        char *end = strchr(line, '\n') + 1;
        char saved = *end;
        *end = '\0';
        bool drop = strstr(line, "depthUpdate") != NULL && ++diffs == 30;
        *end = saved;
        if (!drop) memcpy(kept + kept_length, line, (size_t)(end - line)), kept_length += (size_t)(end - line);
        line = end;
    }
    fixture_write(path, kept, kept_length);
    player_t *player = s_open(path);
    s_play_all(player);
    cr_assert_eq(recorded_core_counts(s_market)->depth_gaps, 1);
    cr_assert_eq(recorded_core_counts(s_market)->differing, 0);
    market_t market = recorded_core_market(s_market);
    zvt_level_t best;
    cr_assert_eq(market.ops->levels(market.market, 0, ZVT_SIDE_BUY, &best, 1), 1);
    s_close(&player);
}

Test(player, symbols_that_the_fleet_does_not_trade_are_counted)
{
    const char *path = fixture_path("other.csv");
    static const char text[] =
        CAPTURE_CSV_HEADER "\n1,DOGEUSDT,1,1,2,1\n2,ETHUSDT,1,1,2,1\n3,eth/usdt,1,1,2,1\n4,ETH/USDT,1,1,2,1\n";
    fixture_write(path, text, strlen(text));
    player_t *player = s_open(path);
    s_play_all(player);
    cr_assert_eq(player_unknown_symbols(player), 2);
    cr_assert_eq(recorded_core_counts(s_market)->quotes, 2);
    s_close(&player);
}

Test(player, a_snapshot_before_everything_belongs_to_the_symbol_in_the_file_s_name)
{
    const char *path = fixture_path("btcusdt.jsonl");
    static const char text[] = "1 {\"lastUpdateId\":10,\"bids\":[[\"5\",\"1\"]],\"asks\":[[\"6\",\"1\"]]}\n";
    fixture_write(path, text, strlen(text));
    player_t *player = s_open(path);
    s_play_all(player);
    cr_assert_eq(recorded_core_counts(s_market)->snapshots, 1);
    s_close(&player);
}

Test(player, refuses_a_file_without_any_market_data_and_says_what_it_takes)
{
    const char *path = fixture_path("notes.txt");
    char problem[ZVT_PROBLEM_SIZE] = "";
    market_events_t events = fixture_events(&s_tape);
    player_t *player = NULL;
    FILE *out = fopen(path, "w");
    cr_assert_not_null(out);
    fputs("this is not a recording\n", out);
    fclose(out);
    s_market = recorded_core_new(fixture_fleet(), &events);
    cr_assert_neq(player_new(&player, fixture_fleet(), path, s_market, problem), 0);
    cr_assert_not_null(strstr(problem, "no market data"));
    cr_assert_null(player);
    recorded_core_destroy(&s_market);
}
