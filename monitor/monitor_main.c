/* zvt-monitor -- the command line client: watches the fleet, asks it and commands it. */
#include <signal.h>

#include "command.h"
#include "zvt_diag.h"
#include "zvt_service.h"

/* In the order a newcomer meets them. */
static const command_t *const s_commands[] = {
    &command_status, &command_tail,    &command_order,  &command_cancel, &command_orders,     &command_quote,
    &command_balances, &command_positions, &command_saga, &command_kill, &command_halt, &command_resume,     &command_resolve,
    &command_dead_letters, &command_reconcile, &command_adjust, &command_barrier, &command_restarts,
    &command_ping,   &command_wait_ready, &command_digest, &command_stats, &command_schema,   &command_decode, &command_fleet_file,
};
enum { COMMANDS = sizeof s_commands / sizeof s_commands[0] };

static void s_print_commands(FILE *out, bool internal)
{
    for (int i = 0; i < COMMANDS; i++)
        if (s_commands[i]->internal == internal) fprintf(out, "  %-12s %s\n", s_commands[i]->name, s_commands[i]->summary);
}

static void s_print_help(FILE *out)
{
    fprintf(out, "usage: %s COMMAND [ARGUMENT]...\nWatches a running fleet, asks it and commands it.\n\n", command_program());
    s_print_commands(out, false);
    fputs("\nFor scripts:\n", out);
    s_print_commands(out, true);
    fprintf(out, "\n'%s COMMAND --help' explains a command. --version prints the release.\n", command_program());
    fputs("Environment: ZVT_RUNTIME (folder of the ipc sockets), ZVT_HOME, ZVT_FLEET (the fleet file), NO_COLOR.\n", out);
    fputs("Exit codes: 0 done, 1 refused or no answer, 2 wrong usage.\n", out);
}

static const command_t *s_find(const char *name)
{
    for (int i = 0; i < COMMANDS; i++)
        if (streq(s_commands[i]->name, name)) return s_commands[i];
    return NULL;
}

static int s_unknown(const char *name)
{
    for (int i = 0; i < COMMANDS; i++) {
        if (args_resembles(name, s_commands[i]->name))
            return command_misused("unknown command '%s'; did you mean '%s'?", name, s_commands[i]->name);
    }
    return command_misused("unknown command '%s'; see '%s --help'", name, command_program());
}

static int s_run(const command_t *command, int argc, char **argv)
{
    char problem[ARGS_PROBLEM_SIZE];
    if (args_want_help(argc, argv)) {
        args_print_help(stdout, command_program(), command->name, command->summary, command->args);
        return ZVT_EXIT_OK;
    }
    void *args = calloc(1, command->size);
    ZVT_ASSERT(args != NULL);
    int exit_code;
    if (args_parse(command->args, argc, argv, args, problem) == 0)
        exit_code = command->run(args);
    else
        exit_code = command_misused("%s: %s\nsee '%s %s --help'", command->name, problem, command_program(), command->name);
    free(args);
    return exit_code;
}

int main(int argc, char **argv)
{
    /* A reader of our output that goes away (`| head -1`) is no error: writes then fail with EPIPE. */
    signal(SIGPIPE, SIG_IGN);
    zvt_diag_init("monitor", ZVT_DIAG_WARN);
    if (argc < 2) {
        s_print_help(stderr);
        return ZVT_EXIT_USAGE;
    }
    if (streq(argv[1], "--help") || streq(argv[1], "-h") || streq(argv[1], "help")) {
        s_print_help(stdout);
        return ZVT_EXIT_OK;
    }
    if (streq(argv[1], "--version")) {
        printf("zvt-monitor %s\n", ZVT_RELEASE);
        return ZVT_EXIT_OK;
    }
    const command_t *command = s_find(argv[1]);
    int exit_code = command == NULL ? s_unknown(argv[1]) : s_run(command, argc - 1, argv + 1);
    if (fflush(stdout) != 0 && errno != EPIPE) exit_code = command_fail("cannot write: %s", strerror(errno));
    return exit_code;
}
