#include "strategy_options.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#define DEFAULT_PORTFOLIO "main"

ZVT_PRINTF(3, 4) static int s_problem(char problem[SETTINGS_PROBLEM_SIZE], int status, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(problem, SETTINGS_PROBLEM_SIZE, format, args);
    va_end(args);
    return status;
}

/* Appends ", name" to a list of names, cutting the list when it is full. */
static void s_append_name(char *list, size_t size, const char *name)
{
    size_t length = strlen(list);
    snprintf(list + length, size - length, "%s%s", length > 0 ? ", " : "", name);
}

/* ---- the command line ---- */
int strategy_options_add_setting(void *arg, const char *value)
{
    strategy_options_t *self = arg;
    if (self->settings_count == ZVT_SETTINGS_MAX) return ZVT_ERR_FULL;
    self->settings[self->settings_count++] = value;
    return 0;
}

int strategy_options_add_with(void *arg, const char *value)
{
    strategy_options_t *self = arg;
    if (self->with_count == ZVT_STRATEGIES_MAX) return ZVT_ERR_FULL;
    self->with[self->with_count++] = value;
    return 0;
}

/* Copies of the first description; 0: --count was not given, and its name stays as it is. */
static int s_copies(const strategy_options_t *self, char problem[SETTINGS_PROBLEM_SIZE])
{
    if (self->count == NULL) return 0;
    char *end;
    errno = 0;
    long copies = strtol(self->count, &end, 10);
    if (errno != 0 || end == self->count || *end != '\0' || copies < 1 || copies > STRATEGY_COUNT_MAX)
        return s_problem(problem, ZVT_ERR_RANGE, "--count %s: use a number from 1 to %d", self->count, STRATEGY_COUNT_MAX);
    return (int)copies;
}

/* How many instruments the copies trade by turns. */
static int s_symbols(const strategy_options_t *self, const zvt_fleet_t *fleet, char problem[SETTINGS_PROBLEM_SIZE])
{
    if (self->symbols == NULL) return 1;
    char *end;
    errno = 0;
    long symbols = strtol(self->symbols, &end, 10);
    if (errno != 0 || end == self->symbols || *end != '\0' || symbols < 1 || symbols > (long)fleet->instruments_count)
        return s_problem(problem, ZVT_ERR_RANGE, "--symbols %s: use a number from 1 to %u, which is all that the fleet file has",
                         self->symbols, fleet->instruments_count);
    return (int)symbols;
}

int strategy_options_count(const strategy_options_t *self, char problem[SETTINGS_PROBLEM_SIZE])
{
    int copies = s_copies(self, problem);
    if (copies < 0) return copies;
    return (copies > 0 ? copies : 1) + (int)self->with_count;
}

/* ---- putting a description together ---- */
static const zvt_strategy_config_t *s_section(const zvt_fleet_t *fleet, const char *name)
{
    for (uint32_t i = 0; i < fleet->strategies_count; i++)
        if (strcmp(fleet->strategies[i].name, name) == 0) return &fleet->strategies[i];
    return NULL;
}

static int s_add_setting(zvt_strategy_config_t *config, const zvt_setting_t *setting, char problem[SETTINGS_PROBLEM_SIZE])
{
    uint32_t i = 0;
    while (i < config->settings_count && strcmp(config->settings[i].key, setting->key) != 0) i++;
    if (i == ZVT_SETTINGS_MAX) return s_problem(problem, ZVT_ERR_FULL, "more than %d settings", ZVT_SETTINGS_MAX);
    config->settings[i] = *setting;
    if (i == config->settings_count) config->settings_count++;
    return 0;
}

static int s_add_settings(const strategy_options_t *self, zvt_strategy_config_t *config, char problem[SETTINGS_PROBLEM_SIZE])
{
    zvt_setting_t settings[ZVT_SETTINGS_MAX];
    uint32_t count = 0;
    int status = 0;
    if (self->environment_settings != NULL) {
        status = settings_split_list(self->environment_settings, settings, ZVT_SETTINGS_MAX, &count, problem);
        for (uint32_t i = 0; i < count && status == 0; i++) status = s_add_setting(config, &settings[i], problem);
    }
    for (uint32_t i = 0; i < self->settings_count && status == 0; i++) {
        status = settings_split(self->settings[i], strlen(self->settings[i]), &settings[0], problem);
        if (status == 0) status = s_add_setting(config, &settings[0], problem);
    }
    return status;
}

/* The last of the three that was given. */
static const char *s_last_given(const char *first, const char *second, const char *third)
{
    if (third != NULL) return third;
    return second != NULL && *second != '\0' ? second : first;
}

static int s_describe(const strategy_options_t *self, const strategy_catalog_t *catalog, const zvt_fleet_t *fleet,
                      const char *name, zvt_strategy_config_t *config, char problem[SETTINGS_PROBLEM_SIZE])
{
    static const zvt_strategy_config_t empty;
    const zvt_strategy_config_t *section = s_section(fleet, name);
    /* A binary with one strategy of its own runs that one, whatever a section of the same name says. */
    const char *only = catalog->count == 1 ? catalog->strategies[0]->name : NULL;
    const char *strategy = s_last_given(section != NULL ? section->strategy : "", only, self->strategy);
    bool same = section != NULL && strcmp(section->strategy, strategy) == 0;
    *config = same ? *section : empty; /* the settings of another strategy would not fit */
    const char *default_symbol = section != NULL ? section->symbol : fleet->instruments[0].symbol;
    const char *symbol = s_last_given(default_symbol, self->environment_symbol, self->symbol);
    const char *venue = s_last_given(section != NULL ? section->venue : "", self->environment_venue, self->venue);
    bool fits = strlen(strategy) < sizeof config->strategy && strlen(symbol) < sizeof config->symbol &&
                strlen(venue) < sizeof config->venue;
    if (!fits)
        return s_problem(problem, ZVT_ERR_RANGE, "the name of a strategy, symbol or venue is too long");
    ZVT_STR_SET(config->name, name);
    ZVT_STR_SET(config->strategy, strategy);
    ZVT_STR_SET(config->symbol, symbol);
    ZVT_STR_SET(config->venue, venue);
    return s_add_settings(self, config, problem);
}

/* ---- checking it against what there is ---- */
static int s_find_strategy(const strategy_catalog_t *catalog, const char *name, const zvt_strategy_t **strategy,
                           char problem[SETTINGS_PROBLEM_SIZE])
{
    char known[SETTINGS_PROBLEM_SIZE / 2] = "";
    for (size_t i = 0; i < catalog->count; i++) {
        *strategy = catalog->strategies[i];
        if (strcmp((*strategy)->name, name) == 0) return 0;
        s_append_name(known, sizeof known, (*strategy)->name);
    }
    if (*name == '\0')
        return s_problem(problem, ZVT_ERR_NOT_FOUND, "say which strategy to run with --strategy; there are: %s", known);
    return s_problem(problem, ZVT_ERR_NOT_FOUND, "unknown strategy '%s'; there are: %s", name, known);
}

static int s_find_instrument(const zvt_fleet_t *fleet, const char *symbol, const zvt_instrument_t **instrument,
                             char problem[SETTINGS_PROBLEM_SIZE])
{
    char known[SETTINGS_PROBLEM_SIZE / 2] = "";
    int index = zvt_fleet_instrument(fleet, symbol);
    *instrument = index < 0 ? NULL : &fleet->instruments[index];
    if (index >= 0) return 0;
    for (uint32_t i = 0; i < fleet->instruments_count; i++) s_append_name(known, sizeof known, fleet->instruments[i].symbol);
    return s_problem(problem, ZVT_ERR_NOT_FOUND, "unknown symbol '%s'; the fleet file has: %s", symbol, known);
}

static int s_check_venue(const zvt_fleet_t *fleet, const char *venue, char problem[SETTINGS_PROBLEM_SIZE])
{
    char known[SETTINGS_PROBLEM_SIZE / 2] = "";
    if (*venue == '\0' || zvt_fleet_venue(fleet, venue) >= 0) return 0;
    for (uint32_t i = 0; i < fleet->venues_count; i++) s_append_name(known, sizeof known, fleet->venues[i].name);
    return s_problem(problem, ZVT_ERR_NOT_FOUND, "unknown venue '%s'; the fleet file has: %s", venue, known);
}

/* Adds one description to the desk, in `copies` copies named NAME-1 .. NAME-copies, or once as it is. The copies take
 * the instruments from the description's own on by turns. */
static int s_add(const strategy_options_t *self, const strategy_catalog_t *catalog, const zvt_fleet_t *fleet,
                 const zvt_strategy_config_t *config, int copies, desk_core_t *desk, char problem[SETTINGS_PROBLEM_SIZE])
{
    const zvt_strategy_t *strategy = NULL;
    const zvt_instrument_t *instrument = NULL;
    const char *portfolio = self->portfolio != NULL ? self->portfolio : DEFAULT_PORTFOLIO;
    if (*portfolio == '\0' || strlen(portfolio) >= ZVT_NAME_SIZE)
        return s_problem(problem, ZVT_ERR_RANGE, "--portfolio %s: use 1 to %d characters", portfolio, ZVT_NAME_SIZE - 1);
    int status = s_find_strategy(catalog, config->strategy, &strategy, problem);
    if (status == 0) status = s_find_instrument(fleet, config->symbol, &instrument, problem);
    if (status == 0) status = s_check_venue(fleet, config->venue, problem);
    if (status == 0 && copies == 0) return desk_core_add(desk, strategy, config, portfolio, instrument, problem);

    zvt_strategy_config_t copy = *config;
    int symbols = status == 0 ? s_symbols(self, fleet, problem) : status;
    if (symbols < 0) return symbols;
    uint32_t first = (uint32_t)(instrument - fleet->instruments);
    for (int i = 1; i <= copies && status == 0; i++) {
        int length = snprintf(copy.name, sizeof copy.name, "%s-%d", config->name, i);
        if (length >= (int)sizeof copy.name)
            return s_problem(problem, ZVT_ERR_RANGE, "'%s-%d' is longer than %d bytes; use a shorter --name", config->name, i,
                             ZVT_NAME_SIZE - 1);
        instrument = &fleet->instruments[(first + (uint32_t)(i - 1) % (uint32_t)symbols) % fleet->instruments_count];
        ZVT_STR_SET(copy.symbol, instrument->symbol);
        status = desk_core_add(desk, strategy, &copy, portfolio, instrument, problem);
    }
    return status;
}

int strategy_options_fill(const strategy_options_t *self, const strategy_catalog_t *catalog, const zvt_fleet_t *fleet,
                          const char *name, desk_core_t *desk, char problem[SETTINGS_PROBLEM_SIZE])
{
    zvt_strategy_config_t config;
    if (fleet->instruments_count == 0) return s_problem(problem, ZVT_ERR_NOT_FOUND, "the fleet file has no instruments");
    int copies = s_copies(self, problem);
    if (copies < 0) return copies;
    int status = s_describe(self, catalog, fleet, name, &config, problem);
    if (status == 0) status = s_add(self, catalog, fleet, &config, copies, desk, problem);
    for (uint32_t i = 0; i < self->with_count && status == 0; i++) {
        const zvt_strategy_config_t *section = s_section(fleet, self->with[i]);
        if (section == NULL)
            return s_problem(problem, ZVT_ERR_NOT_FOUND, "--with %s: the fleet file has no such strategy", self->with[i]);
        status = s_add(self, catalog, fleet, section, 0, desk, problem);
    }
    return status;
}
