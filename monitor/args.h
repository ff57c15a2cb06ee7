/* args -- command line arguments of the monitor's subcommands, read by table.
 *
 * Shapes   a subcommand lists its options and positional arguments as arg_t rows; values land in its own struct, at
 *          the row's offset. "--name value" and "--name=value" are the same; "--" ends the options.
 * Units    ARG_E8: fixed point 1e-8; ARG_SECONDS: milliseconds, written as seconds with decimals.
 * Bounds   ARGS_TEXTS_MAX values of a repeated option; texts up to the row's bound.
 * Owns     nothing: texts point into argv.
 * Errors   ZVT_ERR_INVALID, and `problem` says what to do. */
#ifndef MONITOR_ARGS_H
#define MONITOR_ARGS_H

#include <stdbool.h>
#include <stddef.h>
#include <stdint.h>
#include <stdio.h>

#include "zvt_error.h"

enum { ARGS_TEXTS_MAX = 32, ARGS_PROBLEM_SIZE = 320 };

typedef enum {
    ARG_FLAG,    /* bool, no value */
    ARG_TEXT,    /* const char * */
    ARG_TEXTS,   /* arg_texts_t, may be repeated */
    ARG_U64,     /* arg_u64_t */
    ARG_E8,      /* int64_t, a decimal */
    ARG_SECONDS, /* int64_t milliseconds */
    ARG_ENUM,    /* uint8_t, text of a schema enumeration */
} arg_kind_t;

typedef struct {
    const char *items[ARGS_TEXTS_MAX];
    size_t count;
} arg_texts_t;

typedef struct {
    bool given;
    uint64_t value;
} arg_u64_t;

/* One row: an option (--name) or a positional argument. A row without a name ends the table. */
typedef struct {
    const char *name;
    const char *argument;  /* what --help calls the value, such as "SEQ" */
    const char *meaning;   /* one line for --help */
    const char *fallback;  /* value when left out; NULL: the member stays zero */
    arg_kind_t kind;
    bool positional;
    bool required;
    unsigned enumeration;  /* ARG_ENUM: ZVT_ENUM_OF_* */
    size_t bound;          /* ARG_TEXT, ARG_TEXTS: bytes with NUL that the wire has room for; 0: any */
    bool may_be_empty;     /* ARG_TEXT: "" is taken like a value that was left out */
    size_t offset;         /* of the member in the subcommand's struct */
} arg_t;

/* Fills the zeroed struct `into`. argv[0] is the subcommand. */
ZVT_MUSTUSE int args_parse(const arg_t *table, int argc, char **argv, void *into, char problem[ARGS_PROBLEM_SIZE]);

/* True when --help or -h stands among the arguments. */
bool args_want_help(int argc, char **argv);

/* Prints the usage line, the summary and the table's rows. */
void args_print_help(FILE *out, const char *program, const char *command, const char *summary, const arg_t *table);

/* Number of inserted, deleted, changed or swapped letters between two words (optimal string alignment). */
unsigned args_distance(const char *a, const char *b);
/* True when `word` looks like a slip of `name`: what a suggestion is made for. */
bool args_resembles(const char *word, const char *name);

#endif
