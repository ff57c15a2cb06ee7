/* zvt_snapshot -- the durable state of a follower in a file, so that a restart reads it and only the log's tail.
 *
 * A snapshot is a cache of the fold and nothing more: a file that is missing, damaged or of another log costs the fold of
 * the log from its beginning, or from the base where that is archived (see zvt_follower.h), nothing else. It is written
 * without waiting for the disk.
 *
 * Shapes   a line of text (shard, seq, id of the event at seq, digest of the state's canonical text, length and check of
 *          what follows), then the records that the core saved. Loading builds the state from the records and compares
 *          the digest. The follower then begins with the event at seq itself, whose id tells whether this is the log
 *          that the snapshot was made of.
 * Owns     the path.
 * Errors   see each function; they are also named in the diagnostics. */
#ifndef ZVT_SNAPSHOT_H
#define ZVT_SNAPSHOT_H

#include "zvt_codec.h"
#include "zvt_digest.h"

/* Takes one record of the state. */
typedef void(zvt_snapshot_record_fn)(void *arg, zvt_type_t type, const void *record);

typedef struct {
    uint32_t shard;
    void *state;                                                               /* the core */
    void (*save)(const void *state, zvt_snapshot_record_fn *record, void *arg); /* gives every record, in order */
    int (*load)(void *state, const zvt_record_t *record);                      /* takes one back; 0 or ZVT_ERR_* */
    zvt_dump_fn *dump;                                                         /* canonical text */
} zvt_snapshot_core_t;

typedef enum {
    ZVT_SNAPSHOT_NONE,    /* nothing loaded: fold every event */
    ZVT_SNAPSHOT_PENDING, /* loaded; the log has not been seen yet */
    ZVT_SNAPSHOT_PROVEN,  /* the log holds the event that it ends with */
    ZVT_SNAPSHOT_FOREIGN  /* the log does not: the state is of another log, end the process and fold anew */
} zvt_snapshot_state_t;

typedef struct {
    zvt_snapshot_core_t core;
    char path[1024];
    zvt_snapshot_state_t state;
    uint64_t seq;       /* loaded, or saved last */
    zvt_id_t event_id;  /* at seq */
    uint64_t last_seq;  /* of the last event folded; 0: none yet */
    zvt_id_t last_id;
    int64_t saved_ns;   /* monotonic */
} zvt_snapshot_t;

/* Loads "FOLDER/NAME.snapshot" into a fresh core. False: nothing was loaded, and the core may hold a part of it, so make
 * another one (zvt_snapshot_t.seq is 0 then). */
bool zvt_snapshot_open(zvt_snapshot_t *self, const zvt_snapshot_core_t *core, const char *folder, const char *name);
/* Loads the bytes of such a file into a fresh core instead: the state as of before is given up, and the path stays. False as
 * above, and the reason is told. */
bool zvt_snapshot_take(zvt_snapshot_t *self, const zvt_snapshot_core_t *core, const void *data, size_t length);
/* Where the follower has to begin. */
uint64_t zvt_snapshot_from_seq(const zvt_snapshot_t *self);
/* Whether this event of the log is to be folded; the one that the snapshot ends with is only looked at. */
bool zvt_snapshot_takes(zvt_snapshot_t *self, const zvt_event_t *event);
/* After a batch: whether the state is of another log. The file is deleted then, and the process has to begin anew. */
bool zvt_snapshot_is_foreign(zvt_snapshot_t *self, uint64_t applied_seq, bool caught_up);
/* Saves the state as of the last event folded if that is worth it by now. */
void zvt_snapshot_on_time(zvt_snapshot_t *self, int64_t now_ns);
/* Saves it now: 0 or ZVT_ERR_IO. Takes memory for the text while it runs. */
ZVT_MUSTUSE int zvt_snapshot_save(zvt_snapshot_t *self);

#endif
