#define _GNU_SOURCE /* memfd_create */
#include "zvt_config.h"

#include <czmq.h>
#include <inttypes.h>
#include <sys/mman.h>
#include <unistd.h>

#include "zvt_fixed.h"

typedef enum { KEY_STR, KEY_INT, KEY_E8, KEY_BOOL } key_kind_t;

/* One key of a section: where its value goes and what it may be. */
typedef struct {
    const char *name;
    key_kind_t kind;
    size_t offset;        /* in the section's struct */
    size_t size;          /* KEY_STR: of the member */
    const char *fallback; /* value when left out; NULL: must be given */
    int64_t min, max;     /* KEY_INT and KEY_E8, inclusive */
} config_key_t;

#define KEY_OF_STR(S, key, member, fallback_) \
    {.name = (key), .kind = KEY_STR, .offset = offsetof(S, member), .size = sizeof(((S *)0)->member), .fallback = (fallback_)}
#define KEY_OF_NUM(S, kind_, key, member, fallback_, min_, max_) \
    {.name = (key), .kind = (kind_), .offset = offsetof(S, member), .fallback = (fallback_), .min = (min_), .max = (max_)}
#define KEY_OF_BOOL(S, key, member, fallback_) \
    {.name = (key), .kind = KEY_BOOL, .offset = offsetof(S, member), .fallback = (fallback_)}
#define KEYS_END {.name = NULL}

#define BILLION_E8 (INT64_C(1000000000) * ZVT_E8)

static const config_key_t s_fleet_keys[] = {
    KEY_OF_STR(zvt_fleet_t, "name", name, "fleet"),
    KEY_OF_NUM(zvt_fleet_t, KEY_INT, "shard", shard, "0", 0, 4095),
    KEYS_END,
};
static const config_key_t s_market_keys[] = {
    KEY_OF_NUM(zvt_fleet_t, KEY_INT, "seed", seed, "42", 0, INT64_MAX),
    KEY_OF_NUM(zvt_fleet_t, KEY_INT, "step_ms", step_ms, "100", 1, 10000),
    KEYS_END,
};
static const config_key_t s_risk_keys[] = {
    KEY_OF_NUM(zvt_fleet_t, KEY_E8, "max_notional", max_notional_e8, "500000", 1, INT64_MAX),
    KEY_OF_NUM(zvt_fleet_t, KEY_E8, "price_collar", price_collar_e8, "0.05", 1, ZVT_E8),
    KEY_OF_NUM(zvt_fleet_t, KEY_INT, "max_orders_per_second", max_orders_per_second, "200", 1, 1000000),
    KEY_OF_BOOL(zvt_fleet_t, "allow_short", allow_short, "no"),
    KEYS_END,
};
static const config_key_t s_orchestrator_keys[] = {
    KEY_OF_NUM(zvt_fleet_t, KEY_INT, "max_signals_per_second", max_signals_per_second, "0", 0, 1000000),
    KEY_OF_BOOL(zvt_fleet_t, "standby", standby, "no"),
    KEY_OF_NUM(zvt_fleet_t, KEY_INT, "takeover_ms", takeover_ms, "2000", 200, 60000),
    KEYS_END,
};
static const config_key_t s_executor_keys[] = {
    KEY_OF_NUM(zvt_fleet_t, KEY_E8, "weight_latency", weight_latency_e8, "0.00001", 0, ZVT_E8),
    KEY_OF_NUM(zvt_fleet_t, KEY_E8, "weight_failure", weight_failure_e8, "0.01", 0, ZVT_E8),
    KEYS_END,
};
static const config_key_t s_instrument_keys[] = {
    KEY_OF_NUM(zvt_instrument_t, KEY_E8, "tick", tick_e8, NULL, 1, BILLION_E8),
    KEY_OF_NUM(zvt_instrument_t, KEY_E8, "lot", lot_e8, NULL, 1, BILLION_E8),
    KEY_OF_NUM(zvt_instrument_t, KEY_E8, "min_notional", min_notional_e8, "0", 0, BILLION_E8),
    KEY_OF_NUM(zvt_instrument_t, KEY_E8, "price", price_e8, "100", 1, BILLION_E8),
    KEY_OF_NUM(zvt_instrument_t, KEY_E8, "volatility", volatility_e8, "0.5", 0, 100 * ZVT_E8),
    KEY_OF_NUM(zvt_instrument_t, KEY_E8, "max_quantity", max_quantity_e8, NULL, 1, INT64_MAX),
    KEY_OF_NUM(zvt_instrument_t, KEY_E8, "max_position", max_position_e8, NULL, 1, INT64_MAX),
    KEYS_END,
};
static const config_key_t s_venue_keys[] = {
    KEY_OF_NUM(zvt_venue_config_t, KEY_E8, "maker_fee", maker_fee_e8, "0.001", 0, ZVT_E8 / 10),
    KEY_OF_NUM(zvt_venue_config_t, KEY_E8, "taker_fee", taker_fee_e8, "0.001", 0, ZVT_E8 / 10),
    KEY_OF_NUM(zvt_venue_config_t, KEY_INT, "latency_ms", latency_ms, "0", 0, 60000),
    KEY_OF_NUM(zvt_venue_config_t, KEY_E8, "depth", depth_e8, "1", ZVT_E8 / 1000, 1000 * ZVT_E8),
    KEY_OF_NUM(zvt_venue_config_t, KEY_E8, "spread", spread_e8, "1", ZVT_E8 / 1000, 1000 * ZVT_E8),
    KEY_OF_BOOL(zvt_venue_config_t, "replay", replay, "yes"),
    KEY_OF_NUM(zvt_venue_config_t, KEY_INT, "orders_per_second", orders_per_second, "0", 0, 100000),
    KEY_OF_NUM(zvt_venue_config_t, KEY_INT, "cancels_per_second", cancels_per_second, "0", 0, 100000),
    KEY_OF_BOOL(zvt_venue_config_t, "enforce_limits", enforce_limits, "no"),
    KEYS_END,
};
static const config_key_t s_faults_keys[] = {
    KEY_OF_NUM(zvt_venue_faults_t, KEY_E8, "lose", lose_e8, "0", 0, ZVT_E8),
    KEY_OF_NUM(zvt_venue_faults_t, KEY_E8, "late", late_e8, "0", 0, ZVT_E8),
    KEY_OF_NUM(zvt_venue_faults_t, KEY_E8, "duplicate", duplicate_e8, "0", 0, ZVT_E8),
    KEY_OF_NUM(zvt_venue_faults_t, KEY_INT, "late_ms", late_ms, "1000", 0, 60000),
    KEY_OF_NUM(zvt_venue_faults_t, KEY_INT, "seed", seed, "1", 0, INT64_MAX),
    KEYS_END,
};
static const config_key_t s_strategy_keys[] = {
    KEY_OF_STR(zvt_strategy_config_t, "strategy", strategy, NULL),
    KEY_OF_STR(zvt_strategy_config_t, "symbol", symbol, NULL),
    KEY_OF_STR(zvt_strategy_config_t, "venue", venue, ""),
    KEYS_END,
};

/* What is being read, for problems. */
typedef struct {
    const char *path;   /* of the file */
    const char *text;   /* its contents */
    char *problem;
} source_t;

/* ---- problems with their line ---- */

/* Finds the line of a path of names by indentation, as ZPL nests by it; 0 when it is not there. */
static int s_line_of(const char *text, const char *const *names, size_t names_count)
{
    size_t depth = 0;
    int line = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, "\n");
        line++;
        size_t indent = strspn(text, " ");
        size_t name_length = strcspn(text + indent, " =\t\r\n");
        bool blank = indent >= length || text[indent] == '#';
        if (!blank) {
            size_t level = indent / 4;
            if (level < depth) depth = level;
            if (level == depth && depth < names_count && strlen(names[depth]) == name_length &&
                strncmp(names[depth], text + indent, name_length) == 0 && ++depth == names_count)
                return line;
        }
        text += length + (text[length] == '\n');
    }
    return 0;
}

ZVT_PRINTF(4, 5)
static int s_problem(const source_t *source, const char *const *names, size_t names_count, const char *format, ...)
{
    char what[ZVT_PROBLEM_SIZE / 2];
    va_list args;
    va_start(args, format);
    vsnprintf(what, sizeof what, format, args);
    va_end(args);
    int line = s_line_of(source->text, names, names_count);
    while (line == 0 && names_count > 1) line = s_line_of(source->text, names, --names_count);
    snprintf(source->problem, ZVT_PROBLEM_SIZE, "%s:%d: %s", source->path, line, what);
    return ZVT_ERR_INVALID;
}

/* ---- values ---- */
static int s_parse_bool(const char *text, bool *value)
{
    bool yes = streq(text, "yes") || streq(text, "true") || streq(text, "1");
    bool no = streq(text, "no") || streq(text, "false") || streq(text, "0");
    *value = yes;
    return yes || no ? 0 : ZVT_ERR_SYNTAX;
}

static int s_parse_number(const config_key_t *key, const char *text, int64_t *value)
{
    if (key->kind == KEY_E8) {
        int status = zvt_fixed_parse(text, strlen(text), value);
        if (status != 0) return status;
    } else {
        char *end;
        errno = 0;
        *value = strtoll(text, &end, 10);
        if (errno != 0 || end == text || *end != '\0') return ZVT_ERR_SYNTAX;
    }
    return *value < key->min || *value > key->max ? ZVT_ERR_RANGE : 0;
}

static int s_store(const config_key_t *key, const char *text, void *section)
{
    char *member = (char *)section + key->offset;
    switch (key->kind) {
    case KEY_STR:
        if (strlen(text) >= key->size) return ZVT_ERR_RANGE;
        zvt_str_set(member, key->size, text);
        return 0;
    case KEY_BOOL: return s_parse_bool(text, (bool *)member);
    case KEY_INT:
    case KEY_E8: return s_parse_number(key, text, (int64_t *)member);
    }
    return ZVT_ERR_TYPE;
}

static const config_key_t *s_key(const config_key_t *keys, const char *name)
{
    for (; keys->name != NULL; keys++)
        if (streq(keys->name, name)) return keys;
    return NULL;
}

/* The keys, and the sections beside them (NULL: none), for a problem's text. */
static void s_key_names(const config_key_t *keys, const char *const *sections, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (; keys->name != NULL && length < size; keys++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "", keys->name);
    for (; sections != NULL && *sections != NULL && length < size; sections++)
        length += (size_t)snprintf(text + length, size - length, ", %s", *sections);
}

static bool s_is_among(const char *name, const char *const *sections)
{
    for (; sections != NULL && *sections != NULL; sections++)
        if (streq(name, *sections)) return true;
    return false;
}

static const char *s_expectation(key_kind_t kind)
{
    static const char *const texts[] = {
        [KEY_STR] = "a shorter text", [KEY_INT] = "a whole number in range", [KEY_E8] = "a decimal with at most 8 places in range",
        [KEY_BOOL] = "yes or no"};
    return texts[kind];
}

/* Reads the keys of one section into its struct. `names` is the path to the section; children named in `sections` (NULL:
 * none) are the caller's own business. */
static int s_read_keys(const source_t *source, zconfig_t *node, const char *const *names, size_t depth,
                       const config_key_t *keys, const char *const *sections, void *section)
{
    const char *path[4] = {0};
    for (size_t i = 0; i < depth; i++) path[i] = names[i];
    for (const config_key_t *key = keys; key->name != NULL; key++)
        if (key->fallback != NULL) ZVT_ASSERT(s_store(key, key->fallback, section) == 0);
    for (zconfig_t *child = node == NULL ? NULL : zconfig_child(node); child != NULL; child = zconfig_next(child)) {
        const char *name = zconfig_name(child);
        if (s_is_among(name, sections)) continue;
        const config_key_t *key = s_key(keys, name);
        path[depth] = name;
        if (key == NULL) {
            char known[256];
            s_key_names(keys, sections, known, sizeof known);
            return s_problem(source, path, depth + 1, "unknown key '%s'; '%s' knows: %s", name, path[depth - 1], known);
        }
        if (s_store(key, zconfig_value(child), section) != 0)
            return s_problem(source, path, depth + 1, "'%s = %s' is not %s", name, zconfig_value(child),
                             s_expectation(key->kind));
    }
    for (const config_key_t *key = keys; key->name != NULL; key++)
        if (key->fallback == NULL && (node == NULL || zconfig_locate(node, key->name) == NULL))
            return s_problem(source, path, depth, "'%s' needs a key '%s'", path[depth - 1], key->name);
    return 0;
}

/* ---- lists of sections ---- */
static int s_split_symbol(zvt_instrument_t *instrument)
{
    const char *slash = strchr(instrument->symbol, '/');
    if (slash == NULL || strchr(slash + 1, '/') != NULL) return ZVT_ERR_SYNTAX;
    size_t base_length = (size_t)(slash - instrument->symbol);
    if (base_length == 0 || base_length >= ZVT_ASSET_SIZE) return ZVT_ERR_SYNTAX;
    if (strlen(slash + 1) == 0 || strlen(slash + 1) >= ZVT_ASSET_SIZE) return ZVT_ERR_SYNTAX;
    memcpy(instrument->base, instrument->symbol, base_length);
    ZVT_STR_SET(instrument->quote, slash + 1);
    return 0;
}

/* Where a symbol stands in instruments_by_symbol, or the free slot where it would: FNV-1a, linear probing. */
static uint32_t s_symbol_slot(const zvt_fleet_t *fleet, const char *symbol)
{
    uint32_t slot = 2166136261U, index;
    for (const char *c = symbol; *c != '\0'; c++) slot = (slot ^ (uint8_t)*c) * 16777619U;
    for (slot ^= slot >> 16;; slot++) {
        slot %= sizeof fleet->instruments_by_symbol / sizeof fleet->instruments_by_symbol[0];
        index = fleet->instruments_by_symbol[slot];
        if (index == 0 || strcmp(fleet->instruments[index - 1].symbol, symbol) == 0) return slot;
    }
}

static int s_read_instrument(const source_t *source, zconfig_t *node, zvt_fleet_t *fleet)
{
    const char *names[] = {"instruments", zconfig_name(node)};
    if (fleet->instruments_count == ZVT_INSTRUMENTS_MAX)
        return s_problem(source, names, 2, "more than %d instruments", ZVT_INSTRUMENTS_MAX);
    zvt_instrument_t *instrument = &fleet->instruments[fleet->instruments_count];
    ZVT_STR_SET(instrument->symbol, names[1]);
    if (strlen(names[1]) >= ZVT_SYMBOL_SIZE || s_split_symbol(instrument) != 0)
        return s_problem(source, names, 2, "'%s' is no symbol; write BASE/QUOTE", names[1]);
    if (zvt_fleet_instrument(fleet, names[1]) >= 0) return s_problem(source, names, 2, "'%s' is there twice", names[1]);
    uint32_t slot = s_symbol_slot(fleet, names[1]);
    fleet->instruments_by_symbol[slot] = (uint16_t)++fleet->instruments_count;
    return s_read_keys(source, node, names, 2, s_instrument_keys, NULL, instrument);
}

static int s_read_balances(const source_t *source, zconfig_t *node, zvt_venue_config_t *venue)
{
    for (zconfig_t *child = zconfig_child(node); child != NULL; child = zconfig_next(child)) {
        const char *names[] = {"venues", venue->name, "balances", zconfig_name(child)};
        const char *value = zconfig_value(child);
        if (venue->balances_count == ZVT_BALANCES_MAX)
            return s_problem(source, names, 4, "more than %d balances", ZVT_BALANCES_MAX);
        zvt_balance_config_t *balance = &venue->balances[venue->balances_count++];
        if (strlen(names[3]) >= ZVT_ASSET_SIZE || zvt_fixed_parse(value, strlen(value), &balance->amount_e8) != 0 ||
            balance->amount_e8 < 0)
            return s_problem(source, names, 4, "balance '%s = %s' is not an asset and a decimal >= 0", names[3], value);
        ZVT_STR_SET(balance->asset, names[3]);
    }
    return 0;
}

/* Names become endpoints, topics and file names. */
static bool s_plain_name(const char *name, size_t size)
{
    size_t length = strlen(name);
    if (length == 0 || length >= size) return false;
    return strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-") == length;
}

static int s_read_faults(const source_t *source, zconfig_t *node, zvt_venue_config_t *venue)
{
    const char *names[] = {"venues", venue->name, "faults"};
    zvt_venue_faults_t *faults = &venue->faults;
    int status = s_read_keys(source, node, names, 3, s_faults_keys, NULL, faults);
    if (status == 0 && faults->lose_e8 + faults->late_e8 + faults->duplicate_e8 > ZVT_E8)
        return s_problem(source, names, 3, "'lose', 'late' and 'duplicate' are shares of the answers; together at most 1");
    return status;
}

static int s_read_venue(const source_t *source, zconfig_t *node, zvt_fleet_t *fleet)
{
    static const char *const sections[] = {"balances", "faults", NULL};
    const char *names[] = {"venues", zconfig_name(node)};
    if (fleet->venues_count == ZVT_VENUES_MAX) return s_problem(source, names, 2, "more than %d venues", ZVT_VENUES_MAX);
    if (!s_plain_name(names[1], ZVT_VENUE_SIZE))
        return s_problem(source, names, 2, "venue name '%s': use up to %d letters, digits, - and _", names[1], ZVT_VENUE_SIZE - 1);
    if (zvt_fleet_venue(fleet, names[1]) >= 0) return s_problem(source, names, 2, "'%s' is there twice", names[1]);
    zvt_venue_config_t *venue = &fleet->venues[fleet->venues_count++];
    ZVT_STR_SET(venue->name, names[1]);
    int status = s_read_keys(source, node, names, 2, s_venue_keys, sections, venue);
    if (status == 0) status = s_read_faults(source, zconfig_locate(node, "faults"), venue);
    zconfig_t *balances = zconfig_locate(node, "balances");
    return status != 0 || balances == NULL ? status : s_read_balances(source, balances, venue);
}

static int s_read_settings(const source_t *source, zconfig_t *node, zvt_strategy_config_t *strategy)
{
    for (zconfig_t *child = zconfig_child(node); child != NULL; child = zconfig_next(child)) {
        const char *names[] = {"strategies", strategy->name, "set", zconfig_name(child)};
        if (strategy->settings_count == ZVT_SETTINGS_MAX || strlen(names[3]) >= ZVT_NAME_SIZE ||
            strlen(zconfig_value(child)) >= ZVT_REQUEST_SIZE)
            return s_problem(source, names, 4, "setting '%s' is too long, or one of more than %d", names[3], ZVT_SETTINGS_MAX);
        zvt_setting_t *setting = &strategy->settings[strategy->settings_count++];
        ZVT_STR_SET(setting->key, names[3]);
        ZVT_STR_SET(setting->value, zconfig_value(child));
    }
    return 0;
}

static int s_read_strategy(const source_t *source, zconfig_t *node, zvt_fleet_t *fleet)
{
    static const char *const sections[] = {"set", NULL};
    const char *names[] = {"strategies", zconfig_name(node)};
    if (fleet->strategies_count == ZVT_STRATEGIES_MAX)
        return s_problem(source, names, 2, "more than %d strategies", ZVT_STRATEGIES_MAX);
    if (!s_plain_name(names[1], ZVT_NAME_SIZE))
        return s_problem(source, names, 2, "strategy name '%s': use up to %d letters, digits, - and _", names[1],
                         ZVT_NAME_SIZE - 1);
    zvt_strategy_config_t *strategy = &fleet->strategies[fleet->strategies_count++];
    ZVT_STR_SET(strategy->name, names[1]);
    int status = s_read_keys(source, node, names, 2, s_strategy_keys, sections, strategy);
    if (status != 0) return status;
    zconfig_t *settings = zconfig_locate(node, "set");
    if (settings != NULL) status = s_read_settings(source, settings, strategy);
    if (status != 0) return status;
    if (zvt_fleet_instrument(fleet, strategy->symbol) < 0)
        return s_problem(source, names, 2, "strategy '%s' trades '%s', which is not among the instruments", names[1],
                         strategy->symbol);
    if (strategy->venue[0] != '\0' && zvt_fleet_venue(fleet, strategy->venue) < 0)
        return s_problem(source, names, 2, "strategy '%s' trades at '%s', which is not among the venues", names[1],
                         strategy->venue);
    return 0;
}

/* ---- the file ---- */
typedef int(read_entry_fn)(const source_t *source, zconfig_t *node, zvt_fleet_t *fleet);

/* Sections in the order they are read: later ones refer to earlier ones. */
static const struct {
    const char *name;
    const config_key_t *keys;         /* a section of keys .. */
    read_entry_fn *read_entry;  /* .. or a list of named entries */
} s_sections[] = {
    {.name = "fleet", .keys = s_fleet_keys},
    {.name = "market", .keys = s_market_keys},
    {.name = "risk", .keys = s_risk_keys},
    {.name = "orchestrator", .keys = s_orchestrator_keys},
    {.name = "executor", .keys = s_executor_keys},
    {.name = "instruments", .read_entry = s_read_instrument},
    {.name = "venues", .read_entry = s_read_venue},
    {.name = "strategies", .read_entry = s_read_strategy},
};
enum { SECTIONS = sizeof s_sections / sizeof s_sections[0] };

static int s_check_sections(const source_t *source, zconfig_t *root)
{
    for (zconfig_t *child = zconfig_child(root); child != NULL; child = zconfig_next(child)) {
        const char *name = zconfig_name(child);
        bool known = false;
        for (size_t i = 0; i < SECTIONS; i++) known |= streq(s_sections[i].name, name);
        if (!known)
            return s_problem(source, &name, 1,
                             "unknown section '%s'; there are fleet, market, risk, orchestrator, executor, instruments, venues, strategies",
                             name);
    }
    return 0;
}

static int s_read_section(const source_t *source, zconfig_t *root, size_t index, zvt_fleet_t *fleet)
{
    const char *name = s_sections[index].name;
    zconfig_t *node = zconfig_locate(root, name);
    if (s_sections[index].keys != NULL)
        return s_read_keys(source, node, &name, 1, s_sections[index].keys, NULL, fleet);
    int status = 0;
    for (zconfig_t *child = node == NULL ? NULL : zconfig_child(node); child != NULL && status == 0; child = zconfig_next(child))
        status = s_sections[index].read_entry(source, child, fleet);
    return status;
}

/* zconfig reports mistakes with their line on standard output only, so that is read back while it parses. */
static zconfig_t *s_parse_capturing(const char *text, char *said, size_t size)
{
    fflush(stdout);
    int capture = memfd_create("zconfig", MFD_CLOEXEC), standard = dup(STDOUT_FILENO);
    bool redirected = capture >= 0 && standard >= 0 && dup2(capture, STDOUT_FILENO) >= 0;
    zconfig_t *root = zconfig_str_load(text);
    fflush(stdout);
    if (redirected) dup2(standard, STDOUT_FILENO);
    ssize_t length = redirected ? pread(capture, said, size - 1, 0) : 0;
    said[length > 0 ? length : 0] = '\0';
    if (capture >= 0) close(capture);
    if (standard >= 0) close(standard);
    return root;
}

static zconfig_t *s_load_zpl(const source_t *source)
{
    char said[ZVT_PROBLEM_SIZE / 2];
    zconfig_t *root = s_parse_capturing(source->text, said, sizeof said);
    if (root != NULL) return root;
    const char *open = strstr(said, "(zconfig): ("); /* "E (zconfig): (2) indent 4 spaces at once" */
    int line = open == NULL ? 0 : atoi(open + 12);
    const char *what = open == NULL ? NULL : strchr(open + 12, ')');
    int length = what == NULL ? 0 : (int)strcspn(what + 1, "\n");
    snprintf(source->problem, ZVT_PROBLEM_SIZE, "%s:%d: not ZPL:%.*s; indent by 4 spaces and write 'key = value'", source->path, line,
             length, what == NULL ? "" : what + 1);
    return NULL;
}

int zvt_fleet_parse(const char *text, const char *path, zvt_fleet_t *fleet, char problem[ZVT_PROBLEM_SIZE])
{
    memset(fleet, 0, sizeof *fleet);
    source_t source = {.path = path, .text = text, .problem = problem};
    zconfig_t *root = s_load_zpl(&source);
    if (root == NULL) return ZVT_ERR_SYNTAX;
    int status = s_check_sections(&source, root);
    for (size_t i = 0; i < SECTIONS && status == 0; i++) status = s_read_section(&source, root, i, fleet);
    if (status == 0 && (fleet->instruments_count == 0 || fleet->venues_count == 0)) {
        snprintf(problem, ZVT_PROBLEM_SIZE, "%s: needs at least one entry in 'instruments' and in 'venues'", path);
        status = ZVT_ERR_INVALID;
    }
    /* Above what risk lets pass, so that its judgement is heard and recorded first. */
    if (fleet->max_signals_per_second == 0)
        fleet->max_signals_per_second = fleet->max_orders_per_second + fleet->max_orders_per_second / 4 + 1;
    zconfig_destroy(&root);
    return status;
}

int zvt_fleet_load(const char *path, zvt_fleet_t *fleet, char problem[ZVT_PROBLEM_SIZE])
{
    enum { FILE_MAX = 1 << 20 };
    FILE *file = fopen(path, "re");
    if (file == NULL) {
        snprintf(problem, ZVT_PROBLEM_SIZE, "%s: %s; name a fleet file with --config", path, strerror(errno));
        return ZVT_ERR_IO;
    }
    char *text = calloc(1, FILE_MAX + 1);
    ZVT_ASSERT(text != NULL);
    size_t length = fread(text, 1, FILE_MAX, file);
    int status = 0;
    if (ferror(file) || length == FILE_MAX || memchr(text, 0, length) != NULL) {
        snprintf(problem, ZVT_PROBLEM_SIZE, "%s: cannot be read as text of less than 1 MiB", path);
        status = ZVT_ERR_IO;
    }
    fclose(file);
    if (status == 0) status = zvt_fleet_parse(text, path, fleet, problem);
    free(text);
    return status;
}

int zvt_fleet_instrument(const zvt_fleet_t *fleet, const char *symbol)
{
    return (int)fleet->instruments_by_symbol[s_symbol_slot(fleet, symbol)] - 1;
}

int zvt_fleet_venue(const zvt_fleet_t *fleet, const char *venue)
{
    for (uint32_t i = 0; i < fleet->venues_count; i++)
        if (strcmp(fleet->venues[i].name, venue) == 0) return (int)i;
    return -1;
}
