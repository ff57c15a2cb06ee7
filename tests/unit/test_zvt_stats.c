#include <criterion/criterion.h>
#include <stdlib.h>

#include "zvt_id.h"
#include "zvt_stats.h"

static int s_compare(const void *a, const void *b)
{
    int64_t x = *(const int64_t *)a, y = *(const int64_t *)b;
    return x < y ? -1 : x > y;
}

Test(zvt_stats, percentiles_are_within_two_percent_of_the_sorted_samples)
{
    enum { SAMPLES = 10000 };
    static int64_t samples[SAMPLES];
    static const double percents[] = {1, 50, 90, 99, 99.9};
    zvt_histogram_t *histogram = zvt_histogram("test");
    zvt_rng_t rng;
    zvt_rng_seed(&rng, 4);
    for (int i = 0; i < SAMPLES; i++) {
        samples[i] = (int64_t)(zvt_rng_next(&rng) >> (24 + zvt_rng_below(&rng, 20)));
        zvt_histogram_add(histogram, samples[i]);
    }
    qsort(samples, SAMPLES, sizeof samples[0], s_compare);
    for (size_t i = 0; i < sizeof percents / sizeof percents[0]; i++) {
        double exact = (double)samples[(int)(percents[i] / 100 * SAMPLES) - 1];
        double found = (double)zvt_histogram_percentile(histogram, percents[i]);
        cr_assert(found >= exact * 0.98 && found <= exact * 1.02 + 1, "p%g: %g for %g", percents[i], found, exact);
    }
    cr_assert_eq(zvt_histogram_percentile(histogram, 100), samples[SAMPLES - 1]);
    zvt_histogram_reset(histogram);
    cr_assert_eq(zvt_histogram_percentile(histogram, 50), 0);
}

Test(zvt_stats, a_counter_is_the_same_under_the_same_name)
{
    uint64_t *counter = zvt_counter("things");
    ++*counter;
    ZVT_COUNT("things");
    cr_assert_eq(*zvt_counter("things"), 2);
    cr_assert_neq(zvt_counter("other"), counter);
}
