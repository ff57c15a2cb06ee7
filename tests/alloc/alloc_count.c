#include "alloc_count.h"

#include <errno.h>
#include <execinfo.h>
#include <stdbool.h>
#include <stdlib.h>
#include <string.h>

enum { FRAMES_MAX = 24 };

/* glibc's own, which the family below stands before. */
extern void *__libc_malloc(size_t size);
extern void *__libc_calloc(size_t count, size_t size);
extern void *__libc_realloc(void *block, size_t size);
extern void *__libc_memalign(size_t alignment, size_t size);
extern void __libc_free(void *block);

/* The first function of each room's objects, and the first one behind them all. */
#define ROOMS(R)                                                                                                       \
    R(COMMON, common) R(ORCHESTRATOR, orchestrator) R(RISK, risk) R(PORTFOLIO, portfolio) R(EXECUTOR, executor)          \
    R(GATEWAY, gateway) R(VENUE, venue) R(STRATEGY, strategy) R(TEST, test)
#define DECLARE_MARK(ID, name) void alloc_mark_##name(void);
ROOMS(DECLARE_MARK)
#define MARK(ID, name) [ALLOC_##ID] = alloc_mark_##name,
static void (*const s_marks[ALLOC_ROOMS])(void) = {ROOMS(MARK)};
#define NAME(ID, name) [ALLOC_##ID] = #name,
static const char *const s_names[ALLOC_ROOMS] = {ROOMS(NAME)};

extern const char __executable_start, etext;

static bool s_counting, s_looking;
static uint64_t s_counts[ALLOC_ROOMS];
static struct {
    const char *at; /* return address in the room's function */
    alloc_room_t room;
    uint64_t count;
} s_sites[ALLOC_SITES_MAX];
static unsigned s_sites_count;

const char *alloc_room_name(alloc_room_t room)
{
    return s_names[room];
}

static alloc_room_t s_room_of(const char *at)
{
    alloc_room_t room = ALLOC_TEST;
    for (int i = 0; i < ALLOC_TEST; i++)
        if (at >= (const char *)s_marks[i] && at < (const char *)s_marks[i + 1]) room = (alloc_room_t)i;
    return room;
}

static void s_charge(const char *at)
{
    alloc_room_t room = s_room_of(at);
    s_counts[room]++;
    if (room == ALLOC_TEST) return;
    unsigned i = 0;
    while (i < s_sites_count && s_sites[i].at != at) i++;
    if (i == ALLOC_SITES_MAX) return;
    if (i == s_sites_count) {
        s_sites[s_sites_count].at = at;
        s_sites[s_sites_count++].room = room;
    }
    s_sites[i].count++;
}

/* Looking at the stack may allocate itself. */
static void s_note(void)
{
    if (!s_counting || s_looking) return;
    void *frames[FRAMES_MAX];
    s_looking = true;
    int count = backtrace(frames, FRAMES_MAX);
    /* The first two are ours. */
    for (int i = 2; i < count; i++) {
        const char *at = frames[i];
        if (at < &__executable_start || at >= &etext) continue;
        s_charge(at);
        break;
    }
    s_looking = false;
}

/* ---- the family ---- */
void *malloc(size_t size)
{
    s_note();
    return __libc_malloc(size);
}

void *calloc(size_t count, size_t size)
{
    s_note();
    return __libc_calloc(count, size);
}

void *realloc(void *block, size_t size)
{
    s_note();
    return __libc_realloc(block, size);
}

void *aligned_alloc(size_t alignment, size_t size)
{
    s_note();
    return __libc_memalign(alignment, size);
}

int posix_memalign(void **block, size_t alignment, size_t size)
{
    s_note();
    *block = __libc_memalign(alignment, size);
    return *block == NULL ? ENOMEM : 0;
}

void free(void *block)
{
    if (block != NULL) s_note();
    __libc_free(block);
}

/* ---- counting ---- */
void alloc_count_begin(void)
{
    void *frames[FRAMES_MAX];
    (void)backtrace(frames, FRAMES_MAX); /* loads what it needs, once */
    memset(s_counts, 0, sizeof s_counts);
    memset(s_sites, 0, sizeof s_sites);
    s_sites_count = 0;
    s_counting = true;
}

void alloc_count_end(void)
{
    s_counting = false;
}

uint64_t alloc_count(alloc_room_t room)
{
    return s_counts[room];
}

void alloc_count_sites(FILE *out)
{
    for (unsigned i = 0; i < s_sites_count; i++)
        fprintf(out, "  %s: %llu calls before 0x%llx\n", s_names[s_sites[i].room], (unsigned long long)s_sites[i].count,
                (unsigned long long)(s_sites[i].at - &__executable_start));
}
