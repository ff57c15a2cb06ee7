/* zvt_digest -- digests of durable state, noted at barriers, and what a process answers when it is asked for one.
 *
 * Shapes   the digest is zvt_id_from_text of a canonical text: sorted lines in a fixed format.
 * Bounds   the last ZVT_DIGESTS_KEPT digests are kept.
 * Errors   see each function. */
#ifndef ZVT_DIGEST_H
#define ZVT_DIGEST_H

#include <stdbool.h>
#include <stdio.h>

#include "zvt_id.h"

enum { ZVT_DIGESTS_KEPT = 8 };

/* Writes the canonical text of the durable state and returns the number of its items. */
typedef uint32_t(zvt_dump_fn)(const void *state, FILE *out);

typedef struct {
    uint64_t seq; /* the state is the fold of the log up to here */
    zvt_id_t digest;
    uint32_t items;
} zvt_digest_t;

typedef struct {
    zvt_digest_t kept[ZVT_DIGESTS_KEPT]; /* a ring */
    uint32_t count;                      /* ever added */
} zvt_digests_t;

/* Takes memory for the text while it runs: for barriers, not for every event. */
zvt_digest_t zvt_digest_of(uint64_t seq, zvt_dump_fn *dump, const void *state);
/* As the JSON object {"seq", "digest", "items"}. */
void zvt_digest_print(const zvt_digest_t *digest, FILE *out);
/* The same without the braces, for an object that says more. */
void zvt_digest_print_members(const zvt_digest_t *digest, FILE *out);
void zvt_digests_add(zvt_digests_t *self, const zvt_digest_t *digest);
/* The digest at a seq, or NULL. */
const zvt_digest_t *zvt_digests_find(const zvt_digests_t *self, uint64_t seq);
/* Answers the control command "digest SEQ": the JSON object, or false with the reason. */
bool zvt_digests_answer(const zvt_digests_t *self, const char *argument, FILE *body);
/* A whole decimal number and nothing else; 0 or ZVT_ERR_SYNTAX. */
ZVT_MUSTUSE int zvt_digest_parse_seq(const char *text, uint64_t *seq);

#endif
