/* zvt-sim: runs seeds of the simulated fleet until one fails or all are done. See --help. */
#include <errno.h>
#include <inttypes.h>
#include <malloc.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>
#include <unistd.h>

#include "sim_coverage.h"
#include "sim_faults.h"
#include "sim_plant.h"
#include "sim_run.h"
#include "zvt_planted.h"

enum { HISTORY_LINES = 60, COVERAGE_SEEDS = 1000, LINES_MAX = 1000000000 };
#define SEEDS_MAX UINT64_C(1000000000000) /* at a thousand a second, thirty years */
/* Trading again after the faults, over all seeds of a range that is long enough to have a 99th percentile. */
enum { RECOVERY_SEEDS = 200, RECOVERY_MEAN_MS = 350, RECOVERY_P99_MS = 1000, RECOVERY_STEP_MS = 10, RECOVERY_STEPS = 1000 };

static const char s_usage[] =
    "usage: zvt-sim [options]\n"
    "Runs the fleet's cores in a simulated world with faults, one world per seed, and checks the promise of docs/reliability.md.\n"
    "  --seeds N     how many seeds (default 1000)\n"
    "  --seed S      the first seed (default 1); without --seeds: only this one\n"
    "  --steps N     commands of strategies and clients per seed (default: the seed decides)\n"
    "  --no-faults   a world in which nothing goes wrong\n"
    "  --verbose     print the history of every seed\n"
    "  --lines N     lines of history to print (default 60)\n"
    "  --twice       run every seed twice and compare the trace hashes\n"
    "  --keep-going  one line for each seed that fails, and on\n"
    "  --coverage    print what was reached\n"
    "  --json        print a JSON object instead\n"
    "Exit code: 0 nothing found, 1 an invariant was violated, too little was reached or recovery was too slow, 2 wrong usage.\n";

static struct {
    uint64_t seeds, first_seed;
    uint32_t steps;
    size_t lines;
    bool seeds_given, seed_given, no_faults, verbose, twice, keep_going, coverage, json;
} s_args = {.seeds = 1000, .first_seed = 1, .lines = HISTORY_LINES};

/* What all seeds together did. */
static struct {
    uint64_t done, orders, fills, steps, hash;
    int64_t slowest_ns, recovered_sum_ns;
    uint64_t recovered[RECOVERY_STEPS]; /* seeds that took up to so many steps; the last one has the rest, too */
    uint64_t slowest_seed;
    double simulated_s, wall_s;
} s_total;

static const char s_fleet_text[] =
    "instruments\n"
    "    BTC/USDT\n        tick = 0.01\n        lot = 0.01\n        min_notional = 1\n        price = 100\n        volatility = 0.5\n"
    "        max_quantity = 10\n        max_position = 8\n"
    "    ETH/USDT\n        tick = 0.01\n        lot = 0.01\n        min_notional = 1\n        price = 50\n        volatility = 0.5\n"
    "        max_quantity = 10\n        max_position = 8\n"
    "venues\n"
    "    alpha\n        maker_fee = 0.0002\n        taker_fee = 0.0005\n        balances\n            USDT = 1000000\n            BTC = 100\n            ETH = 100\n"
    "    beta\n        maker_fee = 0.0001\n        taker_fee = 0.0006\n        orders_per_second = 5\n        cancels_per_second = 5\n        enforce_limits = yes\n"
    "        balances\n            USDT = 1000000\n            BTC = 100\n            ETH = 100\n"
    "risk\n    max_notional = 500000\n    price_collar = 0.05\n    max_orders_per_second = 50\n    allow_short = no\n"
    "orchestrator\n    max_signals_per_second = 16\n";

static double s_now_s(void)
{
    struct timespec now;
    clock_gettime(CLOCK_MONOTONIC, &now);
    return (double)now.tv_sec + (double)now.tv_nsec / 1e9;
}

static _Noreturn void s_die_of_usage(const char *what)
{
    fprintf(stderr, "zvt-sim: %s\n%s", what, s_usage);
    exit(ZVT_EXIT_USAGE);
}

/* Digits only: strtoull takes a minus, and makes a large number of it. */
static uint64_t s_number(const char *option, const char *text, uint64_t min, uint64_t max)
{
    char problem[128];
    bool digits = text != NULL && *text != '\0' && strspn(text, "0123456789") == strlen(text);
    errno = 0;
    uint64_t value = digits ? strtoull(text, NULL, 10) : 0;
    if (digits && errno == 0 && value >= min && value <= max) return value;
    snprintf(problem, sizeof problem, "%s takes a number from %" PRIu64 " to %" PRIu64 ", not \"%.32s\"", option, min, max,
             text == NULL ? "" : text);
    s_die_of_usage(problem);
}

static bool *s_flag(const char *name)
{
    static const struct {
        const char *name;
        bool *value;
    } flags[] = {{"--no-faults", &s_args.no_faults}, {"--verbose", &s_args.verbose}, {"--twice", &s_args.twice},
                 {"--keep-going", &s_args.keep_going}, {"--coverage", &s_args.coverage}, {"--json", &s_args.json}};
    for (size_t i = 0; i < sizeof flags / sizeof flags[0]; i++)
        if (strcmp(name, flags[i].name) == 0) return flags[i].value;
    return NULL;
}

static void s_read_args(int argc, char **argv)
{
    for (int i = 1; i < argc; i++) {
        bool *flag = s_flag(argv[i]);
        if (flag != NULL) {
            *flag = true;
        } else if (strcmp(argv[i], "--seeds") == 0) {
            s_args.seeds = s_number("--seeds", argv[++i], 1, SEEDS_MAX);
            s_args.seeds_given = true;
        } else if (strcmp(argv[i], "--seed") == 0) {
            s_args.first_seed = s_number("--seed", argv[++i], 0, UINT64_MAX - SEEDS_MAX);
            s_args.seed_given = true;
        } else if (strcmp(argv[i], "--steps") == 0) {
            s_args.steps = (uint32_t)s_number("--steps", argv[++i], 1, UINT32_MAX);
        } else if (strcmp(argv[i], "--lines") == 0) {
            s_args.lines = s_number("--lines", argv[++i], 0, LINES_MAX);
#ifdef ZVT_PLANT_CHOSEN
        } else if (strcmp(argv[i], "--plant") == 0) {
            if (argv[i + 1] == NULL || !sim_plant(argv[++i])) s_die_of_usage("--plant takes the name of a bug, as tests/sim/planted.sh lists them");
#endif
        } else if (strcmp(argv[i], "--help") == 0) {
            fputs(s_usage, stdout);
            exit(ZVT_EXIT_OK);
        } else {
            s_die_of_usage("unknown option");
        }
    }
    if (s_args.seed_given && !s_args.seeds_given) s_args.seeds = 1;
}

/* ---- one seed ---- */
static void s_describe(uint64_t seed, const sim_result_t *result)
{
    fprintf(stderr, "\nseed %" PRIu64 " violates: %s\n  %s\n  after %.3f simulated seconds, %" PRIu64 " steps; ", seed, result->invariant,
            result->detail, (double)result->at_ns / 1e9, result->steps);
    sim_faults_describe(stderr);
}

/* The seed again, with its history kept. */
static void s_explain(uint64_t seed, const sim_options_t *options, const sim_result_t *first)
{
    sim_options_t again = *options;
    sim_result_t result;
    again.tracing = true;
    sim_run(seed, &again, &result);
    fprintf(stderr, "the last of its history%s%s:\n", first->subject[0] != '\0' ? ", as far as it concerns " : "", first->subject);
    sim_trace_print(stderr, first->subject, s_args.lines);
    if (result.hash != first->hash) fprintf(stderr, "warning: the second run took another course; the world is not deterministic\n");
    fprintf(stderr, "again with: zvt-sim --seed %" PRIu64 " --verbose%s", seed, s_args.no_faults ? " --no-faults" : "");
    if (s_args.steps != 0) fprintf(stderr, " --steps %" PRIu32, s_args.steps);
    fputc('\n', stderr);
}

static bool s_run_seed(uint64_t seed)
{
    sim_options_t options = {.commands = s_args.steps, .faults = !s_args.no_faults, .tracing = s_args.verbose};
    sim_result_t result, second;
    sim_run(seed, &options, &result);
    s_total.done++;
    int64_t step = result.recovered_ns / (RECOVERY_STEP_MS * ZVT_MS_NS);
    s_total.recovered[step < RECOVERY_STEPS ? step : RECOVERY_STEPS - 1]++;
    s_total.orders += result.orders;
    s_total.fills += result.fills;
    s_total.steps += result.steps;
    s_total.hash = s_total.hash * 0x9e3779b97f4a7c15ULL + result.hash;
    s_total.simulated_s += (double)result.at_ns / 1e9;
    s_total.recovered_sum_ns += result.recovered_ns;
    if (result.recovered_ns > s_total.slowest_ns) {
        s_total.slowest_ns = result.recovered_ns;
        s_total.slowest_seed = seed;
    }
    if (result.failed && s_args.keep_going) {
        fprintf(stderr, "seed %" PRIu64 " violates: %s: %s\n", seed, result.invariant, result.detail);
        return false;
    }
    if (result.failed) {
        s_describe(seed, &result);
        s_explain(seed, &options, &result);
        return false;
    }
    if (s_args.verbose) sim_trace_print(stdout, NULL, SIZE_MAX);
    if (!s_args.twice) return true;
    sim_run(seed, &options, &second);
    if (second.hash == result.hash && second.steps == result.steps) return true;
    fprintf(stderr, "seed %" PRIu64 " is not deterministic: trace hash %016" PRIx64 ", then %016" PRIx64 "\n", seed, result.hash, second.hash);
    return false;
}

/* ---- all of them ---- */
/* The 99th percentile by nearest rank, to a step. */
static double s_recovered_p99_ms(void)
{
    uint64_t rank = (s_total.done * 99 + 99) / 100, seen = 0;
    int step = 0;
    while (step < RECOVERY_STEPS - 1 && (seen += s_total.recovered[step]) < rank) step++;
    return (double)step * RECOVERY_STEP_MS;
}

/* Each seed has a limit of its own (sim_run.c), which a rare coincidence may come near; most have to be far from it. */
static bool s_recovered_in_time(void)
{
    double mean_ms = (double)s_total.recovered_sum_ns / (double)s_total.done / 1e6, p99_ms = s_recovered_p99_ms();
    if (mean_ms <= RECOVERY_MEAN_MS && p99_ms <= RECOVERY_P99_MS) return true;
    fprintf(stderr, "too slow: trading again after the faults takes %.0f ms on average, p99 %.0f ms; allowed are %d and %d ms\n", mean_ms, p99_ms,
            RECOVERY_MEAN_MS, RECOVERY_P99_MS);
    return false;
}

static void s_progress(double begin_s, double *last_s)
{
    double now_s = s_now_s();
    if (now_s - *last_s < 2.0 || !isatty(STDERR_FILENO)) return;
    *last_s = now_s;
    fprintf(stderr, "\r%" PRIu64 " of %" PRIu64 " seeds, %.0f/s, %" PRIu64 " orders ", s_total.done, s_args.seeds,
            (double)s_total.done / (now_s - begin_s), s_total.orders);
}

static void s_summary(bool ok)
{
    double done = s_total.done > 0 ? (double)s_total.done : 1;
    if (s_args.json) {
        printf("{\"ok\": %s, \"first_seed\": %" PRIu64 ", \"seeds\": %" PRIu64 ", \"wall_s\": %.2f, \"simulated_s\": %.0f, \"orders\": %" PRIu64
               ", \"fills\": %" PRIu64 ", \"steps\": %" PRIu64 ", \"trading_again_ms\": {\"mean\": %.0f, \"p99\": %.0f, \"max\": %.0f, \"max_seed\": %" PRIu64
               "}, \"trace_hash\": \"%016" PRIx64 "\", ",
               ok ? "true" : "false", s_args.first_seed, s_total.done, s_total.wall_s, s_total.simulated_s, s_total.orders, s_total.fills, s_total.steps,
               (double)s_total.recovered_sum_ns / done / 1e6, s_recovered_p99_ms(), (double)s_total.slowest_ns / 1e6, s_total.slowest_seed,
               s_total.hash);
        sim_coverage_json(stdout);
        printf("}\n");
        return;
    }
    if (s_args.coverage) sim_coverage_print(stdout);
    printf("%s: %" PRIu64 " seeds from %" PRIu64 " in %.1f s (%.0f/s): %.0f simulated seconds, %" PRIu64 " orders, %" PRIu64 " fills, %" PRIu64
           " steps; trading again after the faults: mean %.0f ms, p99 %.0f ms, slowest %.0f ms (seed %" PRIu64 "); trace hash %016" PRIx64 "\n",
           ok ? "nothing found" : "FAILED", s_total.done, s_args.first_seed, s_total.wall_s, done / s_total.wall_s, s_total.simulated_s,
           s_total.orders, s_total.fills, s_total.steps, (double)s_total.recovered_sum_ns / done / 1e6, s_recovered_p99_ms(),
           (double)s_total.slowest_ns / 1e6, s_total.slowest_seed, s_total.hash);
}

/* A core that crashes this process has a seed, too. */
static void s_on_signal(int number)
{
    char text[128];
    int length = snprintf(text, sizeof text, "\nzvt-sim: signal %d in seed %llu; again with: zvt-sim --seed %llu\n", number,
                          (unsigned long long)sim.seed, (unsigned long long)sim.seed);
    if (write(STDERR_FILENO, text, (size_t)length) < 0) _exit(ZVT_EXIT_BUG);
    signal(number, SIG_DFL);
    raise(number);
}

int main(int argc, char **argv)
{
    static zvt_fleet_t fleet;
    char problem[ZVT_PROBLEM_SIZE];
    s_read_args(argc, argv);
    /* Worlds come and go: large blocks are mapped and never written in full, the rest stays with the process. */
    mallopt(M_MMAP_THRESHOLD, 512 << 10);
    mallopt(M_TRIM_THRESHOLD, 256 << 20);
    signal(SIGSEGV, s_on_signal);
    signal(SIGABRT, s_on_signal);
    signal(SIGFPE, s_on_signal);
    if (zvt_fleet_parse(s_fleet_text, "the simulator's fleet", &fleet, problem) != 0) s_die_of_usage(problem);
    sim.fleet = &fleet;
    bool ok = true;
    double begin_s = s_now_s(), last_s = begin_s;
    for (uint64_t i = 0; i < s_args.seeds && (ok || s_args.keep_going); i++) {
        ok = s_run_seed(s_args.first_seed + i) && ok;
        s_progress(begin_s, &last_s);
    }
    s_total.wall_s = s_now_s() - begin_s;
    if (ok && s_total.done >= RECOVERY_SEEDS) ok = s_recovered_in_time();
    if (ok && !s_args.no_faults && s_total.done >= COVERAGE_SEEDS) ok = sim_coverage_enough(stderr, s_total.done);
    s_summary(ok);
    return ok ? ZVT_EXIT_OK : ZVT_EXIT_FAILED;
}
