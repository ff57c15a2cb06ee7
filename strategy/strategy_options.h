/* strategy_options -- which strategies a process is asked to run.
 *
 * One description is put together from, in rising order: the fleet file's section of that name, the environment
 * (ZVT_STRATEGY_SYMBOL, _VENUE, _SETTINGS), the command line. --count makes copies of it, which with --symbols trade
 * different instruments; --with adds sections of the fleet file.
 * Bounds   STRATEGY_COUNT_MAX copies, ZVT_STRATEGIES_MAX sections, ZVT_SETTINGS_MAX settings on the command line.
 * Errors   a negative ZVT_ERR_* and a problem that says what to write instead. */
#ifndef STRATEGY_OPTIONS_H
#define STRATEGY_OPTIONS_H

#include "desk_core.h"

enum { STRATEGY_COUNT_MAX = 4096 };

typedef struct {
    const char *strategy, *symbol, *venue, *portfolio, *count, *symbols; /* command line; NULL: not given */
    const char *list, *json; /* flags that the host has acted on before */
    const char *environment_symbol, *environment_venue, *environment_settings; /* NULL: not set */
    uint32_t settings_count;
    const char *settings[ZVT_SETTINGS_MAX]; /* "key=value" of each --set */
    uint32_t with_count;
    const char *with[ZVT_STRATEGIES_MAX];   /* names of each --with */
} strategy_options_t;

/* The strategies that the binary has. */
typedef struct {
    const zvt_strategy_t *const *strategies;
    size_t count;
} strategy_catalog_t;

/* Callbacks for zvt_option_t.each; `arg` is the options. Non-zero: too many of them. */
int strategy_options_add_setting(void *arg, const char *value);
int strategy_options_add_with(void *arg, const char *value);

/* How many strategies the options ask for, or a negative ZVT_ERR_* and a problem. */
ZVT_MUSTUSE int strategy_options_count(const strategy_options_t *self, char problem[SETTINGS_PROBLEM_SIZE]);

/* Adds them all to the desk. `name` is the process's. */
ZVT_MUSTUSE int strategy_options_fill(const strategy_options_t *self, const strategy_catalog_t *catalog,
                                      const zvt_fleet_t *fleet, const char *name, desk_core_t *desk,
                                      char problem[SETTINGS_PROBLEM_SIZE]);

#endif
