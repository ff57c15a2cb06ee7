#include "settings.h"

#include <errno.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_json.h"

static const struct {
    const char *name;    /* in --list --json */
    const char *problem; /* what a value of this kind must be */
} s_kinds[] = {
    [ZVT_PARAM_DECIMAL] = {.name = "decimal", .problem = "a decimal with at most 8 places"},
    [ZVT_PARAM_INTEGER] = {.name = "integer", .problem = "a whole number"},
    [ZVT_PARAM_TEXT] = {.name = "text", .problem = "a shorter text"},
};

/* ---- reading ---- */
static const zvt_param_t *s_param(const zvt_strategy_t *strategy, const char *key)
{
    for (const zvt_param_t *param = strategy->params; param != NULL && param->key != NULL; param++)
        if (strcmp(param->key, key) == 0) return param;
    return NULL;
}

static int s_parse_integer(const char *text, int64_t *value)
{
    char *end;
    errno = 0;
    bool plain = (*text >= '0' && *text <= '9') || *text == '-';
    long long parsed = strtoll(text, &end, 10);
    if (!plain || end == text || *end != '\0') return ZVT_ERR_SYNTAX;
    if (errno != 0) return ZVT_ERR_RANGE;
    *value = parsed;
    return 0;
}

static int s_parse_number(zvt_param_kind_t kind, const char *text, int64_t *value)
{
    if (kind == ZVT_PARAM_INTEGER) return s_parse_integer(text, value);
    int status = zvt_fixed_parse(text, strlen(text), value);
    return status == ZVT_ERR_OVERFLOW ? ZVT_ERR_RANGE : status;
}

static int s_store_number(const zvt_param_t *param, const char *text, void *state)
{
    int64_t value, lowest, highest;
    int status = s_parse_number(param->kind, text, &value);
    if (status != 0) return status;
    ZVT_ASSERT(s_parse_number(param->kind, param->lowest, &lowest) == 0);
    ZVT_ASSERT(s_parse_number(param->kind, param->highest, &highest) == 0);
    if (value < lowest || value > highest) return ZVT_ERR_RANGE;
    memcpy((char *)state + param->offset, &value, sizeof value);
    return 0;
}

static int s_store(const zvt_param_t *param, const char *text, void *state)
{
    if (param->kind != ZVT_PARAM_TEXT) return s_store_number(param, text, state);
    if (strlen(text) >= param->size) return ZVT_ERR_RANGE;
    zvt_str_set((char *)state + param->offset, param->size, text);
    return 0;
}

static void s_name_keys(const zvt_strategy_t *strategy, char *text, size_t size)
{
    size_t length = 0;
    text[0] = '\0';
    for (const zvt_param_t *param = strategy->params; param != NULL && param->key != NULL && length < size; param++)
        length += (size_t)snprintf(text + length, size - length, "%s%s", length > 0 ? ", " : "", param->key);
}

static int s_unknown_key(const zvt_strategy_t *strategy, const char *key, char problem[SETTINGS_PROBLEM_SIZE])
{
    char known[SETTINGS_PROBLEM_SIZE / 2];
    s_name_keys(strategy, known, sizeof known);
    snprintf(problem, SETTINGS_PROBLEM_SIZE, "unknown setting '%s'; strategy '%s' knows: %s", key, strategy->name,
             known[0] != '\0' ? known : "none");
    return ZVT_ERR_NOT_FOUND;
}

void settings_defaults(const zvt_strategy_t *strategy, void *state)
{
    for (const zvt_param_t *param = strategy->params; param != NULL && param->key != NULL; param++)
        ZVT_ASSERT(s_store(param, param->fallback, state) == 0);
}

int settings_set(const zvt_strategy_t *strategy, void *state, const char *key, const char *value,
                 char problem[SETTINGS_PROBLEM_SIZE])
{
    const zvt_param_t *param = s_param(strategy, key);
    if (param == NULL) return s_unknown_key(strategy, key, problem);
    int status = s_store(param, value, state);
    if (status == 0) return 0;
    if (param->kind == ZVT_PARAM_TEXT)
        snprintf(problem, SETTINGS_PROBLEM_SIZE, "'%s=%s': use at most %zu bytes", key, value, param->size - 1);
    else
        snprintf(problem, SETTINGS_PROBLEM_SIZE, "'%s=%s' is not %s from %s to %s; the default is %s", key, value,
                 s_kinds[param->kind].problem, param->lowest, param->highest, param->fallback);
    return status;
}

int settings_split(const char *text, size_t length, zvt_setting_t *setting, char problem[SETTINGS_PROBLEM_SIZE])
{
    const char *equals = memchr(text, '=', length);
    size_t key_length = equals == NULL ? 0 : (size_t)(equals - text);
    int shown = length > 80 ? 80 : (int)length;
    if (key_length == 0) {
        snprintf(problem, SETTINGS_PROBLEM_SIZE, "setting '%.*s' is not key=value", shown, text);
        return ZVT_ERR_SYNTAX;
    }
    size_t value_length = length - key_length - 1;
    if (key_length >= sizeof setting->key || value_length >= sizeof setting->value) {
        snprintf(problem, SETTINGS_PROBLEM_SIZE, "setting '%.*s': a key has at most %zu bytes, a value %zu", shown, text,
                 sizeof setting->key - 1, sizeof setting->value - 1);
        return ZVT_ERR_RANGE;
    }
    memset(setting, 0, sizeof *setting);
    memcpy(setting->key, text, key_length);
    memcpy(setting->value, equals + 1, value_length);
    return 0;
}

int settings_split_list(const char *text, zvt_setting_t *settings, uint32_t max, uint32_t *count,
                        char problem[SETTINGS_PROBLEM_SIZE])
{
    *count = 0;
    while (*text != '\0') {
        size_t length = strcspn(text, ",");
        if (*count == max) {
            snprintf(problem, SETTINGS_PROBLEM_SIZE, "more than %u settings", max);
            return ZVT_ERR_FULL;
        }
        int status = settings_split(text, length, &settings[*count], problem);
        if (status != 0) return status;
        ++*count;
        text += length + (text[length] == ',');
    }
    return 0;
}

/* ---- describing ---- */
static void s_print_param(FILE *out, const zvt_param_t *param)
{
    char left[64];
    snprintf(left, sizeof left, "%s=%s", param->key, param->fallback);
    fprintf(out, "  %-26s %s", left, param->meaning);
    if (param->kind != ZVT_PARAM_TEXT) fprintf(out, " (%s to %s)", param->lowest, param->highest);
    fputc('\n', out);
}

void settings_print(FILE *out, const zvt_strategy_t *const *strategies, size_t count)
{
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s%s: %s\n", i > 0 ? "\n" : "", strategies[i]->name, strategies[i]->summary);
        for (const zvt_param_t *param = strategies[i]->params; param != NULL && param->key != NULL; param++)
            s_print_param(out, param);
    }
}

static void s_json_member(FILE *out, const char *name, const char *text)
{
    fprintf(out, ", \"%s\": ", name);
    if (text == NULL)
        fputs("null", out);
    else
        zvt_json_string(out, text);
}

static void s_print_param_json(FILE *out, const zvt_param_t *param)
{
    fputs("{\"key\": ", out);
    zvt_json_string(out, param->key);
    s_json_member(out, "kind", s_kinds[param->kind].name);
    s_json_member(out, "default", param->fallback);
    s_json_member(out, "lowest", param->lowest);
    s_json_member(out, "highest", param->highest);
    s_json_member(out, "meaning", param->meaning);
    fputc('}', out);
}

void settings_print_json(FILE *out, const zvt_strategy_t *const *strategies, size_t count)
{
    fputc('[', out);
    for (size_t i = 0; i < count; i++) {
        fprintf(out, "%s{\"name\": ", i > 0 ? ", " : "");
        zvt_json_string(out, strategies[i]->name);
        s_json_member(out, "summary", strategies[i]->summary);
        fputs(", \"settings\": [", out);
        const zvt_param_t *param = strategies[i]->params;
        for (size_t n = 0; param != NULL && param[n].key != NULL; n++) {
            if (n > 0) fputs(", ", out);
            s_print_param_json(out, &param[n]);
        }
        fputs("]}", out);
    }
    fputs("]\n", out);
}
