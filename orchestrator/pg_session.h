/* pg_session -- one connection to Postgres inside the loop: connecting and asking never block, and every step has a limit.
 *
 * One question at a time. A step that takes longer than its limit ends the session, as a server that is stopped would
 * otherwise hold its user for ever; the user begins anew.
 * Units    limit_ns: monotonic nanoseconds from the call.
 * Owns     its connection and one timer of the loop. Results are borrowed for the call.
 * Errors   on_lost is called, once, with the reason, when a session that was begun cannot go on: the server is away, silent or
 *          has closed the connection. A question that the server refuses is no loss: the answer has no result then.
 * Source   libpq, chapters "Database Connection Control" and "Asynchronous Command Processing". A host name in the DSN is
 *          resolved by libpq while it blocks: name a socket folder or an address (hostaddr). */
#ifndef PG_SESSION_H
#define PG_SESSION_H

#include <libpq-fe.h>

#include "zvt_loop.h"

enum { PG_PROBLEM_SIZE = 256 };

typedef struct pg_session pg_session_t;

typedef void(pg_session_open_fn)(void *arg);
typedef void(pg_session_lost_fn)(void *arg, const char *problem);
/* `result` is NULL when the server refused the question; `problem` then says why. */
typedef void(pg_session_answer_fn)(void *arg, const PGresult *result, const char *problem);
typedef void(pg_session_ready_fn)(void *arg);

/* One statement and its parameters, as text. */
typedef struct {
    const char *sql;
    int params_count;
    const char *const *params;
    bool binary;      /* form of the result */
    int64_t limit_ns;
} pg_question_t;

pg_session_t *pg_session_new(zvt_loop_t *loop, const char *dsn, const char *application);
void pg_session_destroy(pg_session_t **self);

/* Begins to connect; a session that was open is closed first. */
void pg_session_open(pg_session_t *self, int64_t limit_ns, pg_session_open_fn *on_open, pg_session_lost_fn *on_lost, void *arg);
/* Closes without a word to on_lost. */
void pg_session_close(pg_session_t *self);
/* True when it is open and has no question under way. */
bool pg_session_is_idle(const pg_session_t *self);
/* Asks; only while idle. The session is idle again when on_answer is called. */
void pg_session_ask(pg_session_t *self, const pg_question_t *question, pg_session_answer_fn *on_answer, void *arg);

/* Lends the idle connection to somebody who speaks to it directly (COPY): on_ready is called when it is readable, or writable
 * while pg_session_flush has something left. Until it is closed or opened again the lender hears nothing of it. */
PGconn *pg_session_lend(pg_session_t *self, pg_session_ready_fn *on_ready, void *arg);
/* Who borrowed it gives it back, with every result of its last statement read: it is idle again. */
void pg_session_take_back(pg_session_t *self);
/* Sends what libpq still holds; false: the connection is gone. */
ZVT_MUSTUSE bool pg_session_flush(pg_session_t *self);
/* Whether the bytes on the connection are the protocol's own, neither TLS nor GSS. */
bool pg_session_is_plain(const pg_session_t *self);
/* Sends whole messages of the protocol past libpq on a plain connection; how many bytes of them it took now: none while libpq holds
 * something itself. When it takes more, on_ready is called. What is sent to one that is gone is lost, which reading from it shows. */
size_t pg_session_send(pg_session_t *self, const void *data, size_t length);

/* Keeps the first line of a libpq message. */
void pg_session_note(char problem[PG_PROBLEM_SIZE], const char *message);

#endif
