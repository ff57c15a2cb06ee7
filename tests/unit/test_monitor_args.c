#include <criterion/criterion.h>
#include <string.h>

#include "args.h"
#include "zvt_schema.h"

typedef struct {
    bool json;
    const char *symbol, *id;
    arg_texts_t types;
    arg_u64_t since;
    int64_t quantity_e8, timeout_ms;
    uint8_t side;
} sample_t;

#define AT(member) .offset = offsetof(sample_t, member)
static const arg_t s_table[] = {
    {.name = "json", .kind = ARG_FLAG, AT(json), .meaning = "m"},
    {.name = "symbol", .argument = "SYMBOL", .kind = ARG_TEXT, .bound = 8, AT(symbol), .meaning = "m"},
    {.name = "type", .argument = "PREFIX", .kind = ARG_TEXTS, AT(types), .meaning = "m"},
    {.name = "since", .argument = "SEQ", .kind = ARG_U64, AT(since), .meaning = "m"},
    {.name = "quantity", .argument = "Q", .kind = ARG_E8, .required = true, AT(quantity_e8), .meaning = "m"},
    {.name = "timeout", .argument = "S", .kind = ARG_SECONDS, .fallback = "2.5", AT(timeout_ms), .meaning = "m"},
    {.name = "side", .argument = "SIDE", .kind = ARG_ENUM, .enumeration = ZVT_ENUM_OF_SIDE, AT(side), .meaning = "m"},
    {.name = "id", .argument = "ID", .kind = ARG_TEXT, .positional = true, AT(id), .meaning = "m"},
    {.name = NULL},
};

static char s_problem[ARGS_PROBLEM_SIZE];

/* Parses words separated by blanks. */
static int s_parse(const char *line, sample_t *sample)
{
    static char s_words[512];
    char *argv[64], *rest = NULL;
    int argc = 0;
    snprintf(s_words, sizeof s_words, "command %s", line);
    for (char *word = strtok_r(s_words, " ", &rest); word != NULL; word = strtok_r(NULL, " ", &rest)) argv[argc++] = word;
    memset(sample, 0, sizeof *sample);
    return args_parse(s_table, argc, argv, sample, s_problem);
}

Test(monitor_args, reads_every_kind_in_both_spellings)
{
    sample_t got;
    cr_assert_eq(s_parse("--json --symbol=BTC --type order. --type=risk. --since 7 --quantity -0.5 --side SELL"
                         " --timeout=0.25s abc", &got), 0);
    cr_assert(got.json);
    cr_assert_str_eq(got.symbol, "BTC");
    cr_assert_eq(got.types.count, 2);
    cr_assert_str_eq(got.types.items[1], "risk.");
    cr_assert(got.since.given);
    cr_assert_eq(got.since.value, 7);
    cr_assert_eq(got.quantity_e8, -50000000);
    cr_assert_eq(got.side, ZVT_SIDE_SELL);
    cr_assert_eq(got.timeout_ms, 250);
    cr_assert_str_eq(got.id, "abc");
}

Test(monitor_args, uses_the_fallback_of_what_is_left_out)
{
    sample_t got;
    cr_assert_eq(s_parse("--quantity 1", &got), 0);
    cr_assert_eq(got.timeout_ms, 2500);
    cr_assert_null(got.symbol);
    cr_assert_not(got.since.given);
}

Test(monitor_args, takes_everything_behind_two_dashes_as_positional)
{
    sample_t got;
    cr_assert_eq(s_parse("--quantity 1 -- --json", &got), 0);
    cr_assert_str_eq(got.id, "--json");
    cr_assert_not(got.json);
}

Test(monitor_args, refuses_mistakes_with_a_sentence)
{
    static const struct {
        const char *line, *says;
    } cases[] = {
        {"", "--quantity Q is missing"},
        {"--quantity", "needs a value"},
        {"--quantity 1e5", "expected a decimal"},
        {"--quantity 0.123456789", "expected a decimal"},
        {"--quantity 99999999999999", "too large"},
        {"--quantity 1 --since -1", "whole number"},
        {"--quantity 1 --since 99999999999999999999", "whole number"},
        {"--quantity 1 --since 12x", "whole number"},
        {"--quantity 1 --timeout 0", "seconds above 0"},
        {"--quantity 1 --timeout s", "seconds above 0"},
        {"--quantity 1 --timeout 3m", "seconds above 0"},
        {"--quantity 1 --timeout 1000000", "seconds above 0"},
        {"--quantity 1 --side long", "choose one of buy, sell"},
        {"--quantity 1 --symbol ABCDEFGHI", "longer than 7 bytes"},
        {"--quantity 1 --symbol=", "--symbol is empty"},
        {"--quantity 1 --json=yes", "takes no value"},
        {"--quantity 1 --symbl X", "did you mean --symbol?"},
        {"--quantity 1 --zzzzz X", "unknown option '--zzzzz'"},
        {"--quantity 1 -j", "two dashes"},
        {"--quantity 1 a b", "unexpected argument 'b'"},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        sample_t got;
        cr_assert_eq(s_parse(cases[i].line, &got), ZVT_ERR_INVALID, "%s", cases[i].line);
        cr_assert_not_null(strstr(s_problem, cases[i].says), "'%s' says: %s", cases[i].line, s_problem);
    }
}

Test(monitor_args, refuses_control_characters_in_texts)
{
    char *argv[] = {"command", "--quantity", "1", "--symbol", "A\033[2J"};
    sample_t got = {.json = false};
    cr_assert_eq(args_parse(s_table, 5, argv, &got, s_problem), ZVT_ERR_INVALID);
    cr_assert_not_null(strstr(s_problem, "control character"));
}

Test(monitor_args, refuses_more_repetitions_than_there_is_room_for)
{
    char *argv[2 * ARGS_TEXTS_MAX + 5] = {"command", "--quantity", "1"};
    int argc = 3;
    for (int i = 0; i <= ARGS_TEXTS_MAX; i++) {
        argv[argc++] = "--type";
        argv[argc++] = "x";
    }
    sample_t got = {.json = false};
    cr_assert_eq(args_parse(s_table, argc, argv, &got, s_problem), ZVT_ERR_INVALID);
    cr_assert_eq(got.types.count, ARGS_TEXTS_MAX);
}

Test(monitor_args, measures_how_far_words_are_apart)
{
    cr_assert_eq(args_distance("status", "status"), 0);
    cr_assert_eq(args_distance("stauts", "status"), 1); /* two letters swapped are one slip */
    cr_assert_eq(args_distance("stats", "status"), 1);
    cr_assert_eq(args_distance("", "tail"), 4);
}

Test(monitor_args, suggests_slips_and_abbreviations_only)
{
    cr_assert(args_resembles("oders", "orders"));
    cr_assert(args_resembles("bal", "balances"));
    cr_assert_not(args_resembles("frobnicate", "orders"));
    cr_assert_not(args_resembles("", "orders"));
}

Test(monitor_args, finds_help_before_two_dashes_only)
{
    char *yes[] = {"command", "x", "--help"}, *no[] = {"command", "--", "--help"};
    cr_assert(args_want_help(3, yes));
    cr_assert_not(args_want_help(3, no));
}

Test(monitor_args, explains_every_row_in_the_help)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    args_print_help(out, "fleet", "command", "Does it.", s_table);
    fclose(out);
    cr_assert_not_null(strstr(text, "usage: fleet command"));
    for (const arg_t *arg = s_table; arg->name != NULL; arg++)
        cr_assert_not_null(strstr(text, arg->positional ? arg->argument : arg->name), "%s", arg->name);
    free(text);
}
