#include "command.h"

#include <pwd.h>
#include <stdarg.h>

#include "zvt_json.h"

enum { REAL_DIGITS = 9 }; /* of floating point numbers in JSON, all of them statistics */

const char *command_program(void)
{
    const char *program = getenv("ZVT_PROGRAM");
    return program == NULL || *program == '\0' ? "zvt-monitor" : program;
}

static void s_complain(const char *format, va_list args)
{
    fflush(stdout);
    fprintf(stderr, "%s: ", command_program());
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
}

int command_fail(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    s_complain(format, args);
    va_end(args);
    return ZVT_EXIT_FAILED;
}

int command_misused(const char *format, ...)
{
    va_list args;
    va_start(args, format);
    s_complain(format, args);
    va_end(args);
    return ZVT_EXIT_USAGE;
}

const zvt_fleet_t *command_fleet(void)
{
    static zvt_fleet_t *s_fleet;
    const char *path = getenv("ZVT_FLEET");
    if (s_fleet != NULL) return s_fleet;
    if (path == NULL) {
        (void)command_fail("ZVT_FLEET does not name the fleet file; take the variables from: run/fleet env");
        return NULL;
    }
    char problem[ZVT_PROBLEM_SIZE];
    zvt_fleet_t *fleet = calloc(1, sizeof *fleet);
    ZVT_ASSERT(fleet != NULL);
    if (zvt_fleet_load(path, fleet, problem) == 0) {
        s_fleet = fleet;
        return fleet;
    }
    (void)command_fail("%s", problem);
    free(fleet);
    return NULL;
}

const char *command_user(void)
{
    const char *user = getenv("USER");
    if (user != NULL && *user != '\0') return user;
    const struct passwd *account = getpwuid(geteuid());
    return account == NULL ? "unknown" : account->pw_name;
}

client_ask_t command_ask_orchestrator(zvt_type_t type, const void *question, client_record_fn *on_record, void *arg)
{
    client_ask_t ask = {.who = "orchestrator", .type = type, .question = question, .on_record = on_record, .arg = arg};
    zvt_endpoint(ask.endpoint, "request", NULL);
    return ask;
}

json_t *command_json_record(zvt_type_t type, const void *record)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    ZVT_ASSERT(out != NULL);
    zvt_json_record(out, type, record);
    fclose(out);
    json_t *json = json_loadb(text, length, 0, NULL);
    ZVT_ASSERT(json != NULL);
    free(text);
    return json;
}

void command_print_json(json_t *json)
{
    json_dumpf(json, stdout, JSON_REAL_PRECISION(REAL_DIGITS) | JSON_ENCODE_ANY);
    putchar('\n');
    json_decref(json);
}
