/* Fleet files of arbitrary bytes: read, or refused with a problem that is a text. */
#include <stdlib.h>
#include <string.h>

#include "zvt_config.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

static zvt_fleet_t s_fleet;

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size)
{
    char problem[ZVT_PROBLEM_SIZE] = "";
    if (memchr(data, 0, size) != NULL) return 0; /* zvt_fleet_load refuses those before */
    char *text = malloc(size + 1);
    ZVT_ASSERT(text != NULL);
    memcpy(text, data, size);
    text[size] = '\0';
    int status = zvt_fleet_parse(text, "fuzz.zpl", &s_fleet, problem);
    ZVT_ASSERT(status == 0 || problem[0] != '\0');
    free(text);
    return 0;
}

size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity)
{
    static const char *const seeds[] = {
        "fleet\n    name = \"x\"\ninstruments\n    A/B\n        tick = 0.01\n        lot = 1\n        max_quantity = 1\n        max_position = 2\n"
        "venues\n    v\n        taker_fee = 0.001\n        balances\n            B = 5\n"
        "strategies\n    s\n        strategy = m\n        symbol = A/B\n        set\n            k = v\n",
        "risk\n    max_notional = 1\n    allow_short = yes\nmarket\n    seed = 1\n"};
    if (n >= sizeof seeds / sizeof seeds[0] || strlen(seeds[n]) > capacity) return 0;
    memcpy(out, seeds[n], strlen(seeds[n]));
    return strlen(seeds[n]);
}
