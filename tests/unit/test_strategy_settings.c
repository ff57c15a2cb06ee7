#include <criterion/criterion.h>
#include <string.h>

#include "settings.h"

typedef struct {
    int64_t size_e8;
    int64_t window;
    char label[8];
} state_t;

static const zvt_param_t s_params[] = {
    ZVT_DECIMAL(state_t, size_e8, "size", "0.5", "0.1", "10", "how much"),
    ZVT_INTEGER(state_t, window, "window", "20", "2", "100", "how many"),
    ZVT_TEXT(state_t, label, "label", "none", "what to call it"),
    ZVT_PARAMS_END,
};
static const zvt_strategy_t s_strategy = {.name = "test", .summary = "s", .params = s_params, .state_size = sizeof(state_t)};
static const zvt_strategy_t s_bare = {.name = "bare", .summary = "s"};

static char problem[SETTINGS_PROBLEM_SIZE];

static int s_set(state_t *state, const char *key, const char *value)
{
    return settings_set(&s_strategy, state, key, value, problem);
}

Test(strategy_settings, defaults_fill_the_state)
{
    state_t state = {0};
    settings_defaults(&s_strategy, &state);
    cr_assert(state.size_e8 == ZVT_E8 / 2);
    cr_assert(state.window == 20);
    cr_assert_str_eq(state.label, "none");
}

Test(strategy_settings, a_value_replaces_its_default)
{
    state_t state = {0};
    cr_assert(s_set(&state, "size", "1.25") == 0);
    cr_assert(s_set(&state, "window", "100") == 0);
    cr_assert(s_set(&state, "label", "seven77") == 0);
    cr_assert(state.size_e8 == 125000000 && state.window == 100);
    cr_assert_str_eq(state.label, "seven77");
}

Test(strategy_settings, an_unknown_key_names_the_known_ones)
{
    state_t state = {0};
    cr_assert(s_set(&state, "sise", "1") == ZVT_ERR_NOT_FOUND);
    cr_assert_str_eq(problem, "unknown setting 'sise'; strategy 'test' knows: size, window, label");
    cr_assert(settings_set(&s_bare, &state, "size", "1", problem) == ZVT_ERR_NOT_FOUND);
    cr_assert_str_eq(problem, "unknown setting 'size'; strategy 'bare' knows: none");
}

Test(strategy_settings, a_bad_value_is_refused_and_changes_nothing)
{
    static const struct {
        const char *key, *value;
        int status;
    } cases[] = {
        {"size", "a lot", ZVT_ERR_SYNTAX},  {"size", "", ZVT_ERR_SYNTAX},          {"size", "1e3", ZVT_ERR_SYNTAX},
        {"size", "0.123456789", ZVT_ERR_SYNTAX}, {"size", "0.09", ZVT_ERR_RANGE},  {"size", "10.1", ZVT_ERR_RANGE},
        {"size", "-1", ZVT_ERR_RANGE},      {"size", "99999999999999999999", ZVT_ERR_RANGE},
        {"window", "2.5", ZVT_ERR_SYNTAX},  {"window", " 5", ZVT_ERR_SYNTAX},      {"window", "1", ZVT_ERR_RANGE},
        {"window", "101", ZVT_ERR_RANGE},   {"window", "99999999999999999999", ZVT_ERR_RANGE},
        {"label", "eight888", ZVT_ERR_RANGE},
    };
    for (size_t i = 0; i < sizeof cases / sizeof cases[0]; i++) {
        state_t state = {0};
        settings_defaults(&s_strategy, &state);
        int status = s_set(&state, cases[i].key, cases[i].value);
        cr_expect(status == cases[i].status, "%s=%s gave %d", cases[i].key, cases[i].value, status);
        cr_expect(state.size_e8 == ZVT_E8 / 2 && state.window == 20 && strcmp(state.label, "none") == 0);
    }
}

Test(strategy_settings, a_refusal_says_what_is_accepted)
{
    state_t state = {0};
    cr_assert(s_set(&state, "size", "abc") == ZVT_ERR_SYNTAX);
    cr_assert_str_eq(problem, "'size=abc' is not a decimal with at most 8 places from 0.1 to 10; the default is 0.5");
    cr_assert(s_set(&state, "label", "much too long") == ZVT_ERR_RANGE);
    cr_assert_str_eq(problem, "'label=much too long': use at most 7 bytes");
}

Test(strategy_settings, splits_key_and_value_at_the_first_equals)
{
    zvt_setting_t setting;
    cr_assert(settings_split("a=b=c", 5, &setting, problem) == 0);
    cr_assert_str_eq(setting.key, "a");
    cr_assert_str_eq(setting.value, "b=c");
    cr_assert(settings_split("a=", 2, &setting, problem) == 0);
    cr_assert_str_eq(setting.value, "");
}

Test(strategy_settings, refuses_what_is_not_key_and_value)
{
    zvt_setting_t setting;
    cr_assert(settings_split("window", 6, &setting, problem) == ZVT_ERR_SYNTAX);
    cr_assert_str_eq(problem, "setting 'window' is not key=value");
    cr_assert(settings_split("=5", 2, &setting, problem) == ZVT_ERR_SYNTAX);
    char longest[200];
    memset(longest, 'x', sizeof longest);
    longest[40] = '=';
    cr_assert(settings_split(longest, 60, &setting, problem) == ZVT_ERR_RANGE);
    longest[10] = '=';
    cr_assert(settings_split(longest, 199, &setting, problem) == ZVT_ERR_RANGE);
}

Test(strategy_settings, splits_a_list_up_to_its_bound)
{
    zvt_setting_t settings[2];
    uint32_t count;
    cr_assert(settings_split_list("", settings, 2, &count, problem) == 0 && count == 0);
    cr_assert(settings_split_list("a=1,b=2", settings, 2, &count, problem) == 0 && count == 2);
    cr_assert_str_eq(settings[1].key, "b");
    cr_assert(settings_split_list("a=1,b=2,c=3", settings, 2, &count, problem) == ZVT_ERR_FULL);
    cr_assert(settings_split_list("a=1,,b=2", settings, 2, &count, problem) == ZVT_ERR_SYNTAX);
}
