/* zvt_peer -- who a hub speaks with: a plain value, for cores that answer peers without knowing of sockets. */
#ifndef ZVT_PEER_H
#define ZVT_PEER_H

#include <stdbool.h>
#include <stdint.h>

typedef struct {
    uint8_t id[40]; /* the name that the ROUTER gave its connection */
    uint8_t id_length;
    bool req;       /* speaks with an empty delimiter frame */
} zvt_peer_t;

#endif
