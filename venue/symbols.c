#include "symbols.h"

#include <string.h>

#include "capture.h"
#include "player.h"

enum { PATH_SIZE = 4096 };

static void s_ignore_malformed(void *arg, const char *file, uint64_t line, const char *reason)
{
    (void)arg;
    (void)file;
    (void)line;
    (void)reason; /* the venue reports it when it plays the line */
}

/* Marks the instruments of one file. A snapshot names no symbol, and never stands alone. */
static int s_look(const zvt_fleet_t *fleet, const char *file, bool *found, char problem[ZVT_PROBLEM_SIZE])
{
    capture_t *capture = NULL;
    const capture_event_t *event;
    int status = capture_new(&capture, file, s_ignore_malformed, NULL, problem);
    if (status != 0) return status;
    for (int n = 0; n < SYMBOLS_EVENTS && capture_next(capture, &event) == 0; n++) {
        int instrument = player_find_instrument(fleet, event->symbol);
        if (instrument >= 0) found[instrument] = true;
    }
    capture_destroy(&capture);
    return 0;
}

int symbols_print(const zvt_fleet_t *fleet, const char *files, FILE *out, char problem[ZVT_PROBLEM_SIZE])
{
    bool found[ZVT_INSTRUMENTS_MAX] = {false};
    for (const char *at = files; *at != '\0';) {
        char file[PATH_SIZE];
        size_t length = strcspn(at, ",");
        snprintf(file, sizeof file, "%.*s", (int)length, at);
        int status = s_look(fleet, file, found, problem);
        if (status != 0) return status;
        at += length + (at[length] == ',');
    }
    for (uint32_t i = 0; i < fleet->instruments_count; i++)
        if (found[i]) fprintf(out, "%s\n", fleet->instruments[i].symbol);
    return 0;
}
