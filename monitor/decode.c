/* decode -- the command that turns rows of the table events into JSON, many times faster than SQL does. */
#include "command.h"
#include "decode_core.h"

static const arg_t s_decode_args[] = {{.name = NULL}};

static int s_run_decode(const void *arg)
{
    char *line = NULL;
    size_t capacity = 0;
    uint64_t number = 0;
    int status = 0;
    (void)arg;
    while (status == 0 && getline(&line, &capacity, stdin) >= 0) {
        number++;
        status = decode_line(line, stdout);
    }
    free(line);
    if (status != 0) return command_fail("line %" PRIu64 " cannot be decoded: %s", number, zvt_strerror(status));
    return ferror(stdin) ? command_fail("cannot read: %s", strerror(errno)) : ZVT_EXIT_OK;
}

const command_t command_decode = {.name = "decode", .summary = "Prints rows of the log, read as SEQ TYPE HEX, as SEQ TYPE JSON.",
                                  .args = s_decode_args, .size = 1, .run = s_run_decode, .internal = true};
