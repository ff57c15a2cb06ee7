#include <criterion/criterion.h>
#include <math.h>

#include "fundamental_core.h"
#include "venue_fixture.h"
#include "zvt_time.h"

enum { SAMPLES = 20000 };

/* Deviation of the log returns over a lag, relative to what a random walk of this volatility would show. */
static double s_deviation(const fundamental_t *path, double lag_s)
{
    double sum = 0;
    int64_t lag_ns = (int64_t)(lag_s * 1e9);
    for (int64_t i = 0; i < SAMPLES; i++) {
        double change = log(fundamental_price(path, (i + 1) * lag_ns) / fundamental_price(path, i * lag_ns));
        sum += change * change;
    }
    return sqrt(sum / SAMPLES) / (path->sigma * sqrt(lag_s));
}

Test(fundamental_core, begins_at_the_configured_price)
{
    fundamental_t path;
    fundamental_init(&path, 42, "BTC/USDT", 60000, 0.5);
    cr_assert_float_eq(fundamental_price(&path, 0), 60000, 1e-6);
}

Test(fundamental_core, is_a_pure_function_of_seed_symbol_and_time)
{
    fundamental_t a, b, other_seed, other_symbol;
    fundamental_init(&a, 42, "BTC/USDT", 60000, 0.5);
    fundamental_init(&b, 42, "BTC/USDT", 60000, 0.5);
    fundamental_init(&other_seed, 43, "BTC/USDT", 60000, 0.5);
    fundamental_init(&other_symbol, 42, "ETH/USDT", 60000, 0.5);
    int64_t at_ns = 12345 * ZVT_SECOND_NS;
    (void)fundamental_price(&b, 99 * ZVT_SECOND_NS);
    cr_assert_eq(fundamental_price(&a, at_ns), fundamental_price(&b, at_ns));
    cr_assert_neq(fundamental_price(&a, at_ns), fundamental_price(&other_seed, at_ns));
    cr_assert_neq(fundamental_price(&a, at_ns), fundamental_price(&other_symbol, at_ns));
}

Test(fundamental_core, spreads_with_the_square_root_of_time_at_the_configured_volatility)
{
    for (uint64_t seed = 1; seed <= 4; seed++) {
        fundamental_t path;
        fundamental_init(&path, seed, "BTC/USDT", 60000, 0.5);
        static const double lags_s[] = {1, 10, 60, 600, 3600, 86400};
        for (size_t i = 0; i < sizeof lags_s / sizeof lags_s[0]; i++) {
            double deviation = s_deviation(&path, lags_s[i]);
            cr_assert(deviation > 0.6 && deviation < 1.5, "seed %d lag %g s: %g", (int)seed, lags_s[i], deviation);
        }
    }
}

Test(fundamental_core, volatility_clusters)
{
    fundamental_t path;
    fundamental_init(&path, 42, "BTC/USDT", 60000, 0.5);
    static double sizes[SAMPLES];
    double mean = 0, variance = 0, covariance = 0, signed_covariance = 0, signed_variance = 0;
    static double changes[SAMPLES];
    for (int64_t i = 0; i < SAMPLES; i++) {
        changes[i] = log(fundamental_price(&path, (i + 1) * ZVT_SECOND_NS) / fundamental_price(&path, i * ZVT_SECOND_NS));
        sizes[i] = fabs(changes[i]);
        mean += sizes[i] / SAMPLES;
    }
    for (int i = 0; i + 10 < SAMPLES; i++) {
        variance += (sizes[i] - mean) * (sizes[i] - mean);
        covariance += (sizes[i] - mean) * (sizes[i + 10] - mean);
        signed_variance += changes[i] * changes[i];
        signed_covariance += changes[i] * changes[i + 10];
    }
    cr_assert_gt(covariance / variance, 0.1, "large moves follow large moves");
    cr_assert_lt(fabs(signed_covariance / signed_variance), 0.1, "but their direction is no help");
}

Test(fundamental_core, noise_is_continuous_also_before_time_zero)
{
    for (int64_t at_ns = -5000; at_ns < 5000; at_ns += 100) {
        double here = fundamental_noise(9, at_ns, 1000), next = fundamental_noise(9, at_ns + 1, 1000);
        cr_assert(fabs(here - next) < 0.01);
        cr_assert(here >= -1 && here <= 1);
    }
}
