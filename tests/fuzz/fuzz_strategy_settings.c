/* Settings as they come from the environment of an attached strategy: "key=value,key=value". */
#include <string.h>

#include "builtin.h"
#include "settings.h"

enum { TEXT_MAX = 4096 };

static union {
    char bytes[65536];
    __int128 alignment;
} s_state;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    static const zvt_strategy_t *const strategies[] = {&breakout_strategy, &momentum_strategy, &mean_reversion_strategy,
                                                       &market_maker_strategy};
    char text[TEXT_MAX], problem[SETTINGS_PROBLEM_SIZE];
    zvt_setting_t settings[ZVT_SETTINGS_MAX];
    uint32_t count;
    if (size == 0 || size >= sizeof text) return 0;
    const zvt_strategy_t *strategy = strategies[data[0] % 4];
    ZVT_ASSERT(strategy->state_size <= sizeof s_state);
    memcpy(text, data + 1, size - 1);
    text[size - 1] = '\0';
    settings_defaults(strategy, &s_state);
    if (settings_split_list(text, settings, ZVT_SETTINGS_MAX, &count, problem) != 0) {
        ZVT_ASSERT(strlen(problem) > 0);
        return 0;
    }
    for (uint32_t i = 0; i < count; i++)
        if (settings_set(strategy, &s_state, settings[i].key, settings[i].value, problem) != 0) ZVT_ASSERT(strlen(problem) > 0);
    return 0;
}

size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    static const char *const seeds[] = {"\1rising_ticks=5,falling_ticks=7", "\2entry_z=-1.5,exit_z=0.00000001,window=4",
                                        "\3quantity=0.1,order_value=,=,skew", "window=99999999999999999999,quantity=-"};
    if (n >= sizeof seeds / sizeof seeds[0] || strlen(seeds[n]) > capacity) return 0;
    memcpy(out, seeds[n], strlen(seeds[n]));
    return strlen(seeds[n]);
}
