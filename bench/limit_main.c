/* zvt-limit: what the database, the sockets and the disk of this machine give to a bare loop. */
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include "limit.h"
#include "zvt_time.h"

static const struct {
    const char *name;
    int (*run)(const limit_options_t *options);
    const char *meaning;
} s_commands[] = {
    {"copy", limit_copy, "--dsn DSN [--batch ROWS] [--rows N] [--rate ROWS]: the log's rows by COPY BINARY, as fast as can be or so many a second"},
    {"read", limit_read, "--dsn DSN [--rows N]: the log's rows out of the database"},
    {"hop", limit_hop, "--path DIR [--window N] [--size BYTES] [--rate N]: messages between two processes, one in flight also with pauses"},
    {"publish", limit_publish, "--path DIR [--peers N] [--size BYTES]: messages to N subscribers"},
    {"sync", limit_sync, "--path FILE [--size BYTES] [--rate N]: synced writes, one after another or with pauses"},
};

static int s_usage(FILE *out, int code)
{
    fputs("Usage: zvt-limit COMMAND [--seconds S] [OPTION VALUE]...\n", out);
    for (size_t i = 0; i < sizeof s_commands / sizeof s_commands[0]; i++)
        fprintf(out, "  %-8s %s\n", s_commands[i].name, s_commands[i].meaning);
    return code;
}

/* Takes one option; false if there is none of this name. */
static bool s_take(limit_options_t *options, const char *name, const char *value)
{
    const struct {
        const char *name;
        uint32_t *value;
    } numbers[] = {{"--batch", &options->batch}, {"--window", &options->window}, {"--peers", &options->peers}, {"--size", &options->size}};
    for (size_t i = 0; i < sizeof numbers / sizeof numbers[0]; i++) {
        if (strcmp(name, numbers[i].name) != 0) continue;
        unsigned long number = strtoul(value, NULL, 10);
        if (number < 1 || number > 1 << 20) return false;
        *numbers[i].value = (uint32_t)number;
        return true;
    }
    if (strcmp(name, "--seconds") == 0) return (options->seconds = atof(value)) > 0;
    if (strcmp(name, "--rate") == 0) return (options->rate = atof(value)) > 0;
    if (strcmp(name, "--rows") == 0) return (options->rows = strtoull(value, NULL, 10)) > 0;
    if (strcmp(name, "--dsn") == 0) return (options->dsn = value) != NULL;
    if (strcmp(name, "--path") == 0) return (options->path = value) != NULL;
    return false;
}

int64_t limit_await(const limit_options_t *options, int64_t start_ns, uint64_t count)
{
    int64_t now_ns = zvt_monotonic_ns();
    if (options->rate == 0) return now_ns;
    int64_t due_ns = start_ns + (int64_t)((double)count * 1e9 / options->rate), pause_ns = due_ns - now_ns;
    if (pause_ns > 0) nanosleep(&(struct timespec){.tv_sec = pause_ns / ZVT_SECOND_NS, .tv_nsec = pause_ns % ZVT_SECOND_NS}, NULL);
    return due_ns;
}

void limit_print_histogram(FILE *out, const char *name, const zvt_histogram_t *histogram)
{
    fprintf(out, ", \"%s\": {\"count\": %llu, \"p50\": %.4f, \"p99\": %.4f, \"max\": %.4f}", name,
            (unsigned long long)zvt_histogram_count(histogram), (double)zvt_histogram_percentile(histogram, 50) / 1e6,
            (double)zvt_histogram_percentile(histogram, 99) / 1e6, (double)zvt_histogram_percentile(histogram, 100) / 1e6);
}

int main(int argc, char **argv)
{
    limit_options_t options = {.seconds = 5, .batch = 4000, .window = 256, .peers = 1, .size = 200, .rows = 100000};
    if (argc < 2 || strcmp(argv[1], "--help") == 0) return s_usage(argc < 2 ? stderr : stdout, argc < 2 ? ZVT_EXIT_USAGE : ZVT_EXIT_OK);
    for (int i = 2; i < argc; i += 2) {
        if (i + 1 < argc && s_take(&options, argv[i], argv[i + 1])) continue;
        fprintf(stderr, "zvt-limit: %s %s is not an option with a usable value\n", argv[i], i + 1 < argc ? argv[i + 1] : "");
        return s_usage(stderr, ZVT_EXIT_USAGE);
    }
    for (size_t i = 0; i < sizeof s_commands / sizeof s_commands[0]; i++)
        if (strcmp(argv[1], s_commands[i].name) == 0) return s_commands[i].run(&options);
    fprintf(stderr, "zvt-limit: there is no command \"%s\"\n", argv[1]);
    return s_usage(stderr, ZVT_EXIT_USAGE);
}
