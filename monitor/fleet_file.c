/* fleet_file -- the fleet file as lines of fields, for the supervisor script.
 *
 * Shapes   one line per entry, fields separated by tabs, decimals and lists left out that the script has no use for:
 *            fleet NAME SHARD, market SEED STEP_MS, orchestrator yes|no (has a standby), instrument SYMBOL, venue NAME
 *            yes|no (takes part in a replay), strategy NAME STRATEGY SYMBOL VENUE KEY=VALUE ..
 * Errors   ZVT_EXIT_CONFIG after the loader's own words, which name file, line and what to do. */
#include "command.h"

#include <inttypes.h>

typedef struct {
    const char *path;
} fleet_file_args_t;

static const arg_t s_args[] = {
    {.name = "file", .argument = "FILE", .kind = ARG_TEXT, .positional = true, .required = true,
     .offset = offsetof(fleet_file_args_t, path), .meaning = "the fleet file"},
    {.name = NULL},
};

static void s_print_strategy(const zvt_strategy_config_t *strategy)
{
    printf("strategy\t%s\t%s\t%s\t%s", strategy->name, strategy->strategy, strategy->symbol, strategy->venue);
    for (uint32_t i = 0; i < strategy->settings_count; i++)
        printf("\t%s=%s", strategy->settings[i].key, strategy->settings[i].value);
    putchar('\n');
}

static void s_print(const zvt_fleet_t *fleet)
{
    printf("fleet\t%s\t%" PRId64 "\n", fleet->name, fleet->shard);
    printf("market\t%" PRId64 "\t%" PRId64 "\n", fleet->seed, fleet->step_ms);
    printf("orchestrator\t%s\n", fleet->standby ? "yes" : "no");
    for (uint32_t i = 0; i < fleet->instruments_count; i++) printf("instrument\t%s\n", fleet->instruments[i].symbol);
    for (uint32_t i = 0; i < fleet->venues_count; i++)
        printf("venue\t%s\t%s\n", fleet->venues[i].name, fleet->venues[i].replay ? "yes" : "no");
    for (uint32_t i = 0; i < fleet->strategies_count; i++) s_print_strategy(&fleet->strategies[i]);
}

static int s_run(const void *arg)
{
    const fleet_file_args_t *args = arg;
    char problem[ZVT_PROBLEM_SIZE];
    zvt_fleet_t *fleet = calloc(1, sizeof *fleet);
    ZVT_ASSERT(fleet != NULL);
    int status = zvt_fleet_load(args->path, fleet, problem);
    if (status == 0) {
        s_print(fleet);
    } else {
        (void)command_fail("%s", problem);
    }
    free(fleet);
    return status == 0 ? ZVT_EXIT_OK : ZVT_EXIT_CONFIG;
}

const command_t command_fleet_file = {
    .name = "fleet-file",
    .summary = "Checks a fleet file and prints it as lines.",
    .args = s_args,
    .size = sizeof(fleet_file_args_t),
    .run = s_run,
    .internal = true,
};
