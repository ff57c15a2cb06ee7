/* fuzz_driver -- runs a fuzz target without a fuzzing engine: seeds, every truncation of them, and seeded mutations.
 *
 * A target defines LLVMFuzzerTestOneInput and zvt_fuzz_seed, so that libFuzzer and this driver both run it.
 * The same --seed gives the same inputs. Files named on the command line are run as they are, to replay a finding. */
#include <stdint.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_id.h"

int LLVMFuzzerTestOneInput(const uint8_t *data, size_t size);
size_t zvt_fuzz_seed(unsigned n, uint8_t *out, size_t capacity);

enum { INPUT_MAX = 1 << 16, SEEDS_MAX = 128, TRUNCATIONS_MAX = 4096 };

static uint8_t s_seeds[SEEDS_MAX][INPUT_MAX];
static size_t s_seed_lengths[SEEDS_MAX];
static unsigned s_seeds_count;

/* Gives the target exactly `size` allocated bytes, so that the address sanitizer sees every read past the end. */
static void s_run(const uint8_t *data, size_t size)
{
    uint8_t *copy = malloc(size > 0 ? size : 1);
    if (copy == NULL) abort();
    if (size > 0) memcpy(copy, data, size);
    LLVMFuzzerTestOneInput(copy, size);
    free(copy);
}

static size_t s_mutate(zvt_rng_t *rng, uint8_t *data, size_t size)
{
    static const uint8_t interesting[] = {0x00, 0x01, 0x7f, 0x80, 0xff, 0x90, 0xdc, 0xdd, 0xdb, 0xc6, 0xcf, 0xd3, '"', '{', '['};
    size_t at = size > 0 ? zvt_rng_below(rng, size) : 0;
    switch (zvt_rng_below(rng, 6)) {
    case 0: /* flip a bit */
        if (size > 0) data[at] ^= (uint8_t)(1u << zvt_rng_below(rng, 8));
        break;
    case 1: /* a byte that means something to a parser */
        if (size > 0) data[at] = interesting[zvt_rng_below(rng, sizeof interesting)];
        break;
    case 2: /* cut the tail */
        size = at;
        break;
    case 3: /* take bytes out */
        if (size > 0) {
            size_t n = 1 + zvt_rng_below(rng, size - at);
            memmove(data + at, data + at + n, size - at - n);
            size -= n;
        }
        break;
    case 4: /* repeat a piece */
        if (size > 0) {
            size_t n = 1 + zvt_rng_below(rng, size - at);
            if (size + n <= INPUT_MAX) {
                memmove(data + at + n, data + at, size - at);
                size += n;
            }
        }
        break;
    default: /* a random byte */
        if (size > 0) data[at] = (uint8_t)zvt_rng_next(rng);
        break;
    }
    return size;
}

static int s_run_file(const char *path)
{
    static uint8_t data[INPUT_MAX];
    FILE *file = fopen(path, "rb");
    if (file == NULL) {
        perror(path);
        return 1;
    }
    s_run(data, fread(data, 1, sizeof data, file));
    fclose(file);
    return 0;
}

static void s_load_seeds(void)
{
    for (unsigned n = 0; n < SEEDS_MAX; n++) {
        size_t length = zvt_fuzz_seed(n, s_seeds[n], INPUT_MAX);
        if (length == 0) break;
        s_seed_lengths[n] = length;
        s_seeds_count = n + 1;
        size_t step = 1 + length / TRUNCATIONS_MAX;
        for (size_t cut = 0; cut <= length; cut += step) s_run(s_seeds[n], cut);
    }
}

int main(int argc, char **argv)
{
    static uint8_t data[INPUT_MAX];
    unsigned long runs = 20000, seed = 1;
    int files = 0;
    for (int i = 1; i < argc; i++) {
        if (strcmp(argv[i], "--runs") == 0 && i + 1 < argc)
            runs = strtoul(argv[++i], NULL, 10);
        else if (strcmp(argv[i], "--seed") == 0 && i + 1 < argc)
            seed = strtoul(argv[++i], NULL, 10);
        else if (s_run_file(argv[i]) == 0)
            files++;
        else
            return 1;
    }
    if (files > 0) return 0;
    s_load_seeds();
    zvt_rng_t rng;
    zvt_rng_seed(&rng, seed);
    for (unsigned long run = 0; run < runs; run++) {
        size_t size = 0;
        if (s_seeds_count > 0) {
            unsigned n = (unsigned)zvt_rng_below(&rng, s_seeds_count);
            size = s_seed_lengths[n];
            memcpy(data, s_seeds[n], size);
        }
        for (uint64_t m = 1 + zvt_rng_below(&rng, 4); m > 0; m--) size = s_mutate(&rng, data, size);
        s_run(data, size);
    }
    printf("%u seeds with all truncations, %lu mutated inputs\n", s_seeds_count, runs);
    return 0;
}
