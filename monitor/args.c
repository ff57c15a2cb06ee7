#include "args.h"

#include <errno.h>
#include <stdarg.h>
#include <stdlib.h>
#include <string.h>

#include "zvt_fixed.h"
#include "zvt_schema.h"

enum {
    WORD_MAX = 32,       /* longer words are not compared for suggestions */
    HELP_COLUMN = 28,    /* where the meanings begin */
    SECONDS_MAX = 86400, /* longest timeout */
};

typedef struct {
    const arg_t *table;
    uint8_t *into;
    char *problem;
    uint64_t given; /* bit n: row n has a value */
} parse_t;

ZVT_PRINTF(2, 3) static int s_refuse(parse_t *self, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    vsnprintf(self->problem, ARGS_PROBLEM_SIZE, format, args);
    va_end(args);
    return ZVT_ERR_INVALID;
}

/* "--price" of an option, "ID" of a positional argument. */
static const char *s_label(const arg_t *arg, char label[64])
{
    snprintf(label, 64, "%s%s", arg->positional ? "" : "--", arg->positional ? arg->argument : arg->name);
    return label;
}

/* ---- values ---- */
static int s_check_text(parse_t *self, const arg_t *arg, const char *text)
{
    char label[64];
    s_label(arg, label);
    if (*text == '\0' && !arg->may_be_empty) return s_refuse(self, "%s is empty; say something, or leave it out", label);
    if (arg->bound > 0 && strlen(text) >= arg->bound)
        return s_refuse(self, "%s is longer than %zu bytes", label, arg->bound - 1);
    for (const unsigned char *c = (const unsigned char *)text; *c != '\0'; c++)
        if (*c < 0x20 || *c == 0x7f) return s_refuse(self, "%s contains a control character", label);
    return 0;
}

static int s_take_text(parse_t *self, const arg_t *arg, const char *text)
{
    int status = s_check_text(self, arg, text);
    if (status == 0) *(const char **)(void *)(self->into + arg->offset) = text;
    return status;
}

static int s_take_texts(parse_t *self, const arg_t *arg, const char *text)
{
    arg_texts_t *texts = (void *)(self->into + arg->offset);
    int status = s_check_text(self, arg, text);
    if (status != 0) return status;
    char label[64];
    if (texts->count == ARGS_TEXTS_MAX)
        return s_refuse(self, "%s may be given %d times at the most", s_label(arg, label), ARGS_TEXTS_MAX);
    texts->items[texts->count++] = text;
    return 0;
}

static int s_take_u64(parse_t *self, const arg_t *arg, const char *text)
{
    char label[64], *end;
    errno = 0;
    unsigned long long value = strtoull(text, &end, 10);
    bool digits = *text >= '0' && *text <= '9' && *end == '\0';
    if (!digits || errno != 0)
        return s_refuse(self, "%s %s: expected a whole number, such as 100", s_label(arg, label), text);
    *(arg_u64_t *)(void *)(self->into + arg->offset) = (arg_u64_t){.given = true, .value = value};
    return 0;
}

static int s_take_e8(parse_t *self, const arg_t *arg, const char *text)
{
    char label[64];
    int status = zvt_fixed_parse(text, strlen(text), (int64_t *)(void *)(self->into + arg->offset));
    if (status == ZVT_ERR_OVERFLOW)
        return s_refuse(self, "%s %s: too large; at most 92233720368.54775807", s_label(arg, label), text);
    if (status != 0)
        return s_refuse(self, "%s %s: expected a decimal with up to 8 places, such as 0.1", s_label(arg, label), text);
    return 0;
}

static int s_take_seconds(parse_t *self, const arg_t *arg, const char *text)
{
    char label[64];
    int64_t seconds_e8;
    size_t length = strlen(text);
    bool unit = length > 1 && text[length - 1] == 's'; /* "3s" says the same as "3" */
    int status = zvt_fixed_parse(text, unit ? length - 1 : length, &seconds_e8);
    if (status != 0 || seconds_e8 <= 0 || seconds_e8 > SECONDS_MAX * ZVT_E8)
        return s_refuse(self, "%s %s: expected seconds above 0 and up to %d, such as 2.5", s_label(arg, label), text,
                        SECONDS_MAX);
    int64_t ms = seconds_e8 / (ZVT_E8 / 1000);
    *(int64_t *)(void *)(self->into + arg->offset) = ms > 0 ? ms : 1;
    return 0;
}

static int s_take_enum(parse_t *self, const arg_t *arg, const char *text)
{
    uint8_t value = zvt_enum_parse(arg->enumeration, text);
    if (value != 0) {
        self->into[arg->offset] = value;
        return 0;
    }
    char label[64], choices[128] = "";
    const zvt_enum_desc_t *desc = zvt_enum_desc(arg->enumeration);
    for (size_t i = 0; i < desc->rows_count; i++) {
        size_t length = strlen(choices);
        snprintf(choices + length, sizeof choices - length, "%s%s", i > 0 ? ", " : "", desc->rows[i].text);
    }
    return s_refuse(self, "%s %s: choose one of %s", s_label(arg, label), text, choices);
}

static int s_take_flag(parse_t *self, const arg_t *arg, const char *text)
{
    (void)text;
    *(bool *)(self->into + arg->offset) = true;
    return 0;
}

static int (*const s_take[])(parse_t *self, const arg_t *arg, const char *text) = {
    [ARG_FLAG] = s_take_flag, [ARG_TEXT] = s_take_text,       [ARG_TEXTS] = s_take_texts, [ARG_U64] = s_take_u64,
    [ARG_E8] = s_take_e8,     [ARG_SECONDS] = s_take_seconds, [ARG_ENUM] = s_take_enum,
};

static int s_give(parse_t *self, const arg_t *arg, const char *text)
{
    self->given |= UINT64_C(1) << (arg - self->table);
    return s_take[arg->kind](self, arg, text);
}

/* ---- the command line ---- */
static const arg_t *s_find_option(const parse_t *self, const char *name, size_t length)
{
    for (const arg_t *arg = self->table; arg->name != NULL; arg++)
        if (!arg->positional && strlen(arg->name) == length && strncmp(arg->name, name, length) == 0) return arg;
    return NULL;
}

static int s_unknown_option(parse_t *self, const char *text, size_t length)
{
    char word[WORD_MAX + 1];
    snprintf(word, sizeof word, "%.*s", (int)length, text);
    for (const arg_t *arg = self->table; arg->name != NULL; arg++)
        if (!arg->positional && args_resembles(word, arg->name))
            return s_refuse(self, "unknown option '--%s'; did you mean --%s?", word, arg->name);
    return s_refuse(self, "unknown option '--%s'", word);
}

/* The first positional row that still takes a value. */
static const arg_t *s_next_positional(const parse_t *self)
{
    for (const arg_t *arg = self->table; arg->name != NULL; arg++) {
        bool given = (self->given >> (arg - self->table) & 1) != 0;
        if (arg->positional && (!given || arg->kind == ARG_TEXTS)) return arg;
    }
    return NULL;
}

static int s_parse_positional(parse_t *self, const char *text)
{
    const arg_t *arg = s_next_positional(self);
    return arg == NULL ? s_refuse(self, "unexpected argument '%s'", text) : s_give(self, arg, text);
}

/* Reads the option at argv[*at] and moves *at to its last word. */
static int s_parse_option(parse_t *self, int argc, char **argv, int *at)
{
    const char *text = argv[*at] + 2;
    const char *equals = strchr(text, '=');
    size_t length = equals == NULL ? strlen(text) : (size_t)(equals - text);
    const arg_t *arg = s_find_option(self, text, length);
    if (arg == NULL) return s_unknown_option(self, text, length);
    if (arg->kind == ARG_FLAG)
        return equals != NULL ? s_refuse(self, "--%s takes no value", arg->name) : s_give(self, arg, "");
    if (equals != NULL) return s_give(self, arg, equals + 1);
    if (*at + 1 == argc) return s_refuse(self, "--%s needs a value: --%s %s", arg->name, arg->name, arg->argument);
    *at += 1;
    return s_give(self, arg, argv[*at]);
}

static int s_finish(parse_t *self)
{
    for (const arg_t *arg = self->table; arg->name != NULL; arg++) {
        if ((self->given >> (arg - self->table) & 1) != 0) continue;
        char label[64];
        if (arg->required && arg->positional) return s_refuse(self, "%s is missing", s_label(arg, label));
        if (arg->required) return s_refuse(self, "%s %s is missing", s_label(arg, label), arg->argument);
        if (arg->fallback != NULL) ZVT_ASSERT(s_take[arg->kind](self, arg, arg->fallback) == 0);
    }
    return 0;
}

int args_parse(const arg_t *table, int argc, char **argv, void *into, char problem[ARGS_PROBLEM_SIZE])
{
    parse_t self = {.table = table, .into = into, .problem = problem};
    bool options = true;
    int status = 0;
    problem[0] = '\0';
    for (int i = 1; i < argc && status == 0; i++) {
        bool is_option = options && argv[i][0] == '-' && argv[i][1] != '\0';
        if (is_option && strcmp(argv[i], "--") == 0)
            options = false;
        else if (is_option && argv[i][1] == '-')
            status = s_parse_option(&self, argc, argv, &i);
        else if (is_option)
            status = s_refuse(&self, "unknown option '%s'; options begin with two dashes", argv[i]);
        else
            status = s_parse_positional(&self, argv[i]);
    }
    return status != 0 ? status : s_finish(&self);
}

/* ---- help ---- */
bool args_want_help(int argc, char **argv)
{
    for (int i = 1; i < argc && strcmp(argv[i], "--") != 0; i++)
        if (strcmp(argv[i], "--help") == 0 || strcmp(argv[i], "-h") == 0) return true;
    return false;
}

static void s_print_usage_word(FILE *out, const arg_t *arg)
{
    const char *dots = arg->kind == ARG_TEXTS ? "..." : "";
    char word[64];
    if (arg->positional)
        snprintf(word, sizeof word, "%s", arg->argument);
    else if (arg->kind == ARG_FLAG)
        snprintf(word, sizeof word, "--%s", arg->name);
    else
        snprintf(word, sizeof word, "--%s %s", arg->name, arg->argument);
    fprintf(out, arg->required ? " %s%s" : " [%s]%s", word, dots);
}

void args_print_help(FILE *out, const char *program, const char *command, const char *summary, const arg_t *table)
{
    fprintf(out, "usage: %s %s", program, command);
    for (const arg_t *arg = table; arg->name != NULL; arg++) s_print_usage_word(out, arg);
    fprintf(out, "\n%s\n\n", summary);
    for (const arg_t *arg = table; arg->name != NULL; arg++) {
        char label[64], left[96];
        bool value = !arg->positional && arg->kind != ARG_FLAG;
        snprintf(left, sizeof left, "%s%s%s", s_label(arg, label), value ? " " : "", value ? arg->argument : "");
        fprintf(out, "  %-*s %s", HELP_COLUMN - 2, left, arg->meaning);
        if (arg->fallback != NULL) fprintf(out, "; default %s", arg->fallback);
        putc('\n', out);
    }
    fprintf(out, "  %-*s %s\n", HELP_COLUMN - 2, "--help", "this text");
}

/* ---- suggestions ---- */
static unsigned s_min3(unsigned a, unsigned b, unsigned c)
{
    unsigned least = a < b ? a : b;
    return least < c ? least : c;
}

unsigned args_distance(const char *a, const char *b)
{
    size_t a_length = strlen(a), b_length = strlen(b);
    if (a_length > WORD_MAX || b_length > WORD_MAX) return WORD_MAX;
    unsigned cost[WORD_MAX + 1][WORD_MAX + 1];
    for (unsigned i = 0; i <= a_length; i++) cost[i][0] = i;
    for (unsigned j = 0; j <= b_length; j++) cost[0][j] = j;
    for (size_t i = 1; i <= a_length; i++) {
        for (size_t j = 1; j <= b_length; j++) {
            unsigned change = a[i - 1] == b[j - 1] ? 0 : 1;
            cost[i][j] = s_min3(cost[i - 1][j] + 1, cost[i][j - 1] + 1, cost[i - 1][j - 1] + change);
            bool swapped = i > 1 && j > 1 && a[i - 1] == b[j - 2] && a[i - 2] == b[j - 1];
            if (swapped && cost[i - 2][j - 2] + 1 < cost[i][j]) cost[i][j] = cost[i - 2][j - 2] + 1;
        }
    }
    return cost[a_length][b_length];
}

bool args_resembles(const char *word, const char *name)
{
    size_t length = strlen(word);
    if (length == 0) return false;
    if (length >= 3 && strncmp(word, name, length) == 0) return true; /* an abbreviation */
    return args_distance(word, name) <= (length <= 3 ? 1u : 2u);
}
