/* zvt_peer -- who a hub speaks with: a plain value, for cores that answer peers without knowing of sockets. */
#ifndef ZVT_PEER_H
#define ZVT_PEER_H

#include <stdbool.h>
#include <stdint.h>
#include <string.h>

typedef struct {
    uint8_t id[40]; /* the name that the ROUTER gave its connection */
    uint8_t id_length;
    bool req;       /* speaks with an empty delimiter frame */
} zvt_peer_t;

static inline bool zvt_peer_equal(const zvt_peer_t *a, const zvt_peer_t *b)
{
    return a->id_length == b->id_length && memcmp(a->id, b->id, a->id_length) == 0;
}

#endif
