/* command -- what every subcommand of the monitor is made of, and what all of them need.
 *
 * Errors   a subcommand returns the process's exit code: 0, ZVT_EXIT_FAILED (the answer was no, or there was none) or
 *          ZVT_EXIT_USAGE. */
#ifndef MONITOR_COMMAND_H
#define MONITOR_COMMAND_H

#include <jansson.h>

#include "args.h"
#include "client.h"
#include "zvt_config.h"

typedef struct {
    const char *name;
    const char *summary;  /* one line for --help */
    const arg_t *args;    /* table of its arguments */
    size_t size;          /* of the struct that args_parse fills */
    int (*run)(const void *args);
    bool internal;        /* for the supervisor script; listed apart */
} command_t;

/* Each file of subcommands exports them; monitor_main.c puts them into one table. */
extern const command_t command_tail;
extern const command_t command_order, command_cancel;
extern const command_t command_orders, command_quote, command_balances, command_positions;
extern const command_t command_kill, command_halt, command_resume, command_barrier;
extern const command_t command_resolve, command_dead_letters, command_reconcile, command_adjust;
extern const command_t command_saga;
extern const command_t command_status, command_restarts;
extern const command_t command_ping, command_wait_ready, command_digest, command_stats;
extern const command_t command_schema, command_decode;
extern const command_t command_fleet_file;

/* How users call us: $ZVT_PROGRAM (the supervisor script sets it) or "zvt-monitor". */
const char *command_program(void);

/* Prints "PROGRAM: text" on stderr and returns ZVT_EXIT_FAILED. */
ZVT_PRINTF(1, 2) int command_fail(const char *format, ...);
/* The same, and returns ZVT_EXIT_USAGE. */
ZVT_PRINTF(1, 2) int command_misused(const char *format, ...);

/* The fleet file that $ZVT_FLEET names, loaded once; NULL after saying why not. */
const zvt_fleet_t *command_fleet(void);

/* Who we are in commands: $USER, else the account's name. */
const char *command_user(void);

/* Fills the part of a question that every asker of the orchestrator fills alike. */
client_ask_t command_ask_orchestrator(zvt_type_t type, const void *question, client_record_fn *on_record, void *arg);

/* A record as a JSON object; never NULL. */
json_t *command_json_record(zvt_type_t type, const void *record);
/* Prints a JSON value as one line on stdout and releases it. */
void command_print_json(json_t *json);

#endif
