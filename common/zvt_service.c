#include "zvt_service.h"

#include <errno.h>
#include <fcntl.h>
#include <malloc.h>
#include <signal.h>
#include <sys/signalfd.h>
#include <sys/stat.h>

#include "zvt_hub.h"
#include "zvt_time.h"

enum { PATH_SIZE = 512, HEAP_BLOCK_MAX = 8 << 20, HEAP_SPARE_MAX = 64 << 20 };

struct zvt_service {
    const zvt_service_desc_t *desc;
    const char *name;
    const char *home;
    char state_dir[PATH_SIZE];
    zvt_fleet_t *fleet;
    zvt_loop_t *loop;
    zvt_hello_t identity;
    zvt_hub_t *control;
    zvt_service_stats_fn *on_stats;
    void *stats_arg;
    zvt_control_fn *on_control;
    void *control_arg;
    int signals_fd;
    int ready_fd;     /* -1: nobody waits */
    bool ready;
    bool works;       /* the owner has said so */
    int exit_code;
    int64_t started_ns; /* monotonic */
};

_Noreturn ZVT_PRINTF(2, 3) static void s_give_up(const char *program, const char *format, ...)
{
    va_list args;
    va_start(args, format);
    fprintf(stderr, "%s: ", program);
    vfprintf(stderr, format, args);
    fputc('\n', stderr);
    va_end(args);
    fflush(NULL);
    _exit(ZVT_EXIT_CONFIG); /* open sockets are nobody's business any more; czmq would list them */
}

/* ---- command line ---- */
static void s_print_help(const zvt_service_desc_t *desc)
{
    printf("Usage: %s [OPTION]...\n%s\n\n", desc->program, desc->summary);
    printf("  --name NAME         name in the fleet%s%s\n", desc->name != NULL ? "; default " : " (required)",
           desc->name != NULL ? desc->name : "");
    puts("  --config FILE       fleet file; default $ZVT_FLEET");
    puts("  --home DIR          folder of durable state; default $ZVT_HOME");
    puts("  --log-level LEVEL   error, warn, info or debug; default info");
    for (const zvt_option_t *option = desc->options; option != NULL && option->name != NULL; option++) {
        char left[64];
        snprintf(left, sizeof left, "--%s%s%s", option->name, option->argument != NULL ? " " : "",
                 option->argument != NULL ? option->argument : "");
        printf("  %-19s %s\n", left, option->meaning);
    }
    puts("  --help              this text");
    puts("  --version           release and build\n");
    puts("Environment: ZVT_RUNTIME (folder of the ipc sockets), ZVT_HOME, ZVT_FLEET, ZVT_READY_FD,\n"
         "             ZVT_READY_FILE and ZVT_RUN (where to note that this run works).");
    puts("Exit codes: 0 asked to stop, 100 configuration or environment, 101 our own bug, 111 temporary.");
    puts("The fleet is started and stopped with run/fleet.");
}

static const zvt_option_t *s_option(const zvt_service_desc_t *desc, const char *name)
{
    for (const zvt_option_t *option = desc->options; option != NULL && option->name != NULL; option++)
        if (streq(option->name, name)) return option;
    return NULL;
}

typedef struct {
    const char *name, *config, *home, *log_level;
} common_options_t;

/* Where the value of an option that every daemon has goes; NULL for any other. */
static const char **s_common_option(common_options_t *common, const char *name)
{
    if (streq(name, "name")) return &common->name;
    if (streq(name, "config")) return &common->config;
    if (streq(name, "home")) return &common->home;
    if (streq(name, "log-level")) return &common->log_level;
    return NULL;
}

static void s_take_option(const zvt_service_desc_t *desc, const zvt_option_t *option, const char *value)
{
    if (option->each != NULL && option->each(option->arg, value) != 0)
        s_give_up(desc->program, "--%s %s is not accepted; %s", option->name, value, option->meaning);
    if (option->each == NULL) *option->value = value;
}

static void s_parse(int argc, char **argv, const zvt_service_desc_t *desc, common_options_t *common)
{
    for (int i = 1; i < argc; i++) {
        if (streq(argv[i], "--help") || streq(argv[i], "-h")) {
            s_print_help(desc);
            exit(ZVT_EXIT_OK);
        }
        if (streq(argv[i], "--version")) {
            printf("%s %s\n", desc->program, ZVT_RELEASE);
            exit(ZVT_EXIT_OK);
        }
        if (strncmp(argv[i], "--", 2) != 0) s_give_up(desc->program, "unexpected argument '%s'; see --help", argv[i]);
        const char *name = argv[i] + 2;
        const char **common_value = s_common_option(common, name);
        const zvt_option_t *option = common_value == NULL ? s_option(desc, name) : NULL;
        if (common_value == NULL && option == NULL) s_give_up(desc->program, "unknown option '--%s'; see --help", name);
        if (option != NULL && option->argument == NULL) {
            s_take_option(desc, option, "yes");
            continue;
        }
        if (i + 1 == argc) s_give_up(desc->program, "--%s needs a value; see --help", name);
        i++;
        if (common_value != NULL)
            *common_value = argv[i];
        else
            s_take_option(desc, option, argv[i]);
    }
}

static void s_check_name(const zvt_service_desc_t *desc, const char *name)
{
    if (name == NULL) s_give_up(desc->program, "--name is required; see --help");
    size_t plain = strspn(name, "abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-");
    if (plain != strlen(name) || plain == 0 || plain >= ZVT_NAME_SIZE)
        s_give_up(desc->program, "name '%s': use up to %d letters, digits, - and _", name, ZVT_NAME_SIZE - 1);
}

/* ---- start ---- */
static void s_load_fleet(zvt_service_t *self, const char *path)
{
    char problem[ZVT_PROBLEM_SIZE];
    if (path == NULL) path = getenv("ZVT_FLEET");
    if (path == NULL) s_give_up(self->desc->program, "no fleet file; name one with --config or ZVT_FLEET");
    self->fleet = calloc(1, sizeof *self->fleet);
    ZVT_ASSERT(self->fleet != NULL);
    if (zvt_fleet_load(path, self->fleet, problem) != 0) s_give_up(self->desc->program, "%s", problem);
}

static void s_on_signal(void *arg)
{
    zvt_service_t *self = arg;
    struct signalfd_siginfo info;
    if (read(self->signals_fd, &info, sizeof info) != sizeof info) return;
    zvt_info("asked to stop by signal %u", info.ssi_signo);
    zvt_loop_stop(self->loop);
}

/* Before any thread of libzmq starts, so that all of them inherit the mask. */
static void s_take_signals(zvt_service_t *self)
{
    sigset_t stop;
    sigemptyset(&stop);
    sigaddset(&stop, SIGTERM);
    sigaddset(&stop, SIGINT);
    ZVT_ASSERT(sigprocmask(SIG_BLOCK, &stop, NULL) == 0);
    signal(SIGPIPE, SIG_IGN);
    self->signals_fd = signalfd(-1, &stop, SFD_CLOEXEC | SFD_NONBLOCK);
    ZVT_ASSERT(self->signals_fd >= 0);
    zvt_loop_add_fd(self->loop, self->signals_fd, s_on_signal, self);
}

static int s_ready_fd_from_environment(const char *program)
{
    const char *text = getenv("ZVT_READY_FD");
    if (text == NULL || *text == '\0') return -1;
    char *end;
    long fd = strtol(text, &end, 10);
    if (*end != '\0' || fd < 3 || fd > 1023) s_give_up(program, "ZVT_READY_FD=%s is not a descriptor above 2", text);
    return (int)fd;
}

/* Batches of the log are messages of some hundred kilobytes: malloc would take each from the kernel, which clears it page
 * by page, and give it back. The heap keeps them instead, up to a bound; an allocator that has no such settings (a
 * sanitizer's) is only slower. */
static void s_keep_heap(void)
{
    (void)mallopt(M_MMAP_THRESHOLD, HEAP_BLOCK_MAX);
    (void)mallopt(M_TRIM_THRESHOLD, HEAP_SPARE_MAX);
}

zvt_service_t *zvt_service_new(int argc, char **argv, const zvt_service_desc_t *desc)
{
    common_options_t common = {.name = desc->name, .home = getenv("ZVT_HOME")};
    s_parse(argc, argv, desc, &common);
    s_check_name(desc, common.name);
    setvbuf(stderr, NULL, _IOLBF, 0);
    s_keep_heap();
    zvt_diag_init(common.name, ZVT_DIAG_INFO);
    if (common.log_level != NULL && zvt_diag_set_level(common.log_level) != 0)
        s_give_up(desc->program, "--log-level %s: use error, warn, info or debug", common.log_level);
    zvt_service_t *self = calloc(1, sizeof *self);
    ZVT_ASSERT(self != NULL);
    self->desc = desc;
    self->name = common.name;
    self->home = common.home;
    s_load_fleet(self, common.config);
    if (getenv("ZVT_RUNTIME") == NULL)
        s_give_up(desc->program, "ZVT_RUNTIME is not set; start the fleet with run/fleet, or take the variables from 'run/fleet env'");
    self->ready_fd = s_ready_fd_from_environment(desc->program);
    self->loop = zvt_loop_new();
    s_take_signals(self);
    self->started_ns = zvt_monotonic_ns();
    self->identity.role = desc->role;
    self->identity.incarnation = (uint64_t)zvt_utc_ns();
    ZVT_STR_SET(self->identity.name, self->name);
    return self;
}

void zvt_service_destroy(zvt_service_t **self)
{
    if (*self == NULL) return;
    zvt_hub_destroy(&(*self)->control);
    zvt_loop_destroy(&(*self)->loop);
    free((*self)->fleet);
    close((*self)->signals_fd);
    free(*self);
    *self = NULL;
}

const char *zvt_service_name(const zvt_service_t *self)
{
    return self->name;
}

const char *zvt_service_state_dir(zvt_service_t *self)
{
    if (self->state_dir[0] != '\0') return self->state_dir;
    if (self->home == NULL) s_give_up(self->desc->program, "no folder for durable state; set ZVT_HOME or --home");
    int length = snprintf(self->state_dir, sizeof self->state_dir, "%s/state", self->home);
    if (length >= (int)sizeof self->state_dir) s_give_up(self->desc->program, "ZVT_HOME is longer than %d bytes", PATH_SIZE - 8);
    if (mkdir(self->state_dir, 0700) != 0 && errno != EEXIST)
        s_give_up(self->desc->program, "cannot make %s: %s", self->state_dir, strerror(errno));
    return self->state_dir;
}

const zvt_fleet_t *zvt_service_fleet(const zvt_service_t *self)
{
    return self->fleet;
}

zvt_loop_t *zvt_service_loop(zvt_service_t *self)
{
    return self->loop;
}

zvt_hello_t *zvt_service_identity(zvt_service_t *self)
{
    return &self->identity;
}

void zvt_service_on_stats(zvt_service_t *self, zvt_service_stats_fn *fn, void *arg)
{
    self->on_stats = fn;
    self->stats_arg = arg;
}

void zvt_service_on_control(zvt_service_t *self, zvt_control_fn *fn, void *arg)
{
    self->on_control = fn;
    self->control_arg = arg;
}

/* ---- control socket ---- */
static bool s_control_stats(zvt_service_t *self, const char *argument, FILE *body)
{
    (void)argument;
    double uptime_s = (double)(zvt_loop_monotonic_ns(self->loop) - self->started_ns) / 1e9;
    fprintf(body, "{\"name\": \"%s\", \"role\": \"%s\", \"release\": \"%s\", \"pid\": %d, \"uptime_s\": %.1f, \"ready\": %s, ",
            self->name, zvt_enum_text(ZVT_ENUM_OF_ROLE, self->desc->role), ZVT_RELEASE, getpid(), uptime_s,
            self->ready ? "true" : "false");
    zvt_stats_json(body);
    if (self->on_stats != NULL) self->on_stats(self->stats_arg, body);
    fputc('}', body);
    return true;
}

static bool s_control_ping(zvt_service_t *self, const char *argument, FILE *body)
{
    (void)argument;
    fprintf(body, "{\"name\": \"%s\", \"pid\": %d, \"ready\": %s}", self->name, getpid(), self->ready ? "true" : "false");
    return true;
}

static bool s_control_log_level(zvt_service_t *self, const char *argument, FILE *body)
{
    (void)self;
    if (zvt_diag_set_level(argument) == 0) {
        fprintf(body, "{\"log_level\": \"%s\"}", argument);
        return true;
    }
    fprintf(body, "log-level takes error, warn, info or debug");
    return false;
}

static const struct {
    const char *command;
    bool (*fn)(zvt_service_t *self, const char *argument, FILE *body);
} s_commands[] = {
    {.command = "stats", .fn = s_control_stats},
    {.command = "ping", .fn = s_control_ping},
    {.command = "log-level", .fn = s_control_log_level},
};

static bool s_control(zvt_service_t *self, const zvt_control_request_t *request, FILE *body)
{
    for (size_t i = 0; i < sizeof s_commands / sizeof s_commands[0]; i++)
        if (streq(s_commands[i].command, request->command)) return s_commands[i].fn(self, request->argument, body);
    if (self->on_control != NULL) return self->on_control(self->control_arg, request->command, request->argument, body);
    fprintf(body, "unknown command '%s'; there are stats, ping, log-level", request->command);
    return false;
}

static void s_on_control(void *arg, const zvt_peer_t *peer, const zvt_record_t *record)
{
    zvt_service_t *self = arg;
    zvt_control_reply_t reply = {.success = false};
    FILE *body = fmemopen(reply.body, sizeof reply.body - 1, "w");
    ZVT_ASSERT(body != NULL);
    if (record->type == ZVT_T_CONTROL_REQUEST)
        reply.success = s_control(self, &record->control_request, body);
    else
        fprintf(body, "the control socket takes control.request, not %s", zvt_type_name(record->type));
    bool cut = fflush(body) != 0 || ftell(body) >= (long)sizeof reply.body - 2;
    fclose(body);
    if (cut) ZVT_STR_SET(reply.body, "the answer is too long");
    reply.success = reply.success && !cut;
    zvt_hub_send(self->control, peer, ZVT_T_CONTROL_REPLY, &reply);
}

/* ---- run ---- */
/* Notes for `fleet status` that this run works now: the file's time says when. Nothing depends on it. */
static void s_note_works(void)
{
    const char *path = getenv("ZVT_READY_FILE"), *run = getenv("ZVT_RUN");
    if (path == NULL || run == NULL) return;
    int fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC, 0600);
    if (fd < 0 || dprintf(fd, "%s\n", run) < 0) zvt_debug("cannot write %s: %s", path, strerror(errno));
    if (fd >= 0) close(fd);
}

void zvt_service_works(zvt_service_t *self)
{
    if (self->works) return;
    self->works = true;
    s_note_works();
}

void zvt_service_ready(zvt_service_t *self)
{
    if (self->ready) return;
    self->ready = true;
    zvt_info("ready after %.0f ms", (double)(zvt_monotonic_ns() - self->started_ns) / 1e6);
    if (self->ready_fd < 0) return;
    if (write(self->ready_fd, "\n", 1) != 1) zvt_warn("nobody reads the readiness descriptor %d", self->ready_fd);
    close(self->ready_fd);
    self->ready_fd = -1;
    s_note_works();
}

bool zvt_service_is_ready(const zvt_service_t *self)
{
    return self->ready;
}

int zvt_service_run(zvt_service_t *self)
{
    char endpoint[ZVT_ENDPOINT_SIZE];
    zvt_endpoint(endpoint, "control", self->name);
    int status = zvt_hub_new(&self->control, self->loop, endpoint, &self->identity, s_on_control, NULL, self);
    if (status == ZVT_ERR_EXISTS)
        s_give_up(self->desc->program, "a process called '%s' runs already in this fleet (%s)", self->name, endpoint);
    if (status != 0) s_give_up(self->desc->program, "cannot bind %s: %s", endpoint, strerror(errno));
    zvt_info("%s %s started, pid %d", self->desc->program, ZVT_RELEASE, getpid());
    status = zvt_loop_run(self->loop);
    if (status != 0) {
        zvt_error("polling failed: %s", strerror(errno));
        return ZVT_EXIT_TEMPORARY;
    }
    return self->exit_code;
}

void zvt_service_exit(zvt_service_t *self, int exit_code)
{
    self->exit_code = exit_code;
    zvt_loop_stop(self->loop);
}
