#include "zvt_id.h"

#include <string.h>

bool zvt_id_is_none(const zvt_id_t *id)
{
    static const zvt_id_t none;
    return memcmp(id, &none, sizeof none) == 0;
}

bool zvt_id_equal(const zvt_id_t *a, const zvt_id_t *b)
{
    return memcmp(a, b, sizeof *a) == 0;
}

char *zvt_hex(char *text, const uint8_t *bytes, size_t count)
{
    static const char digits[] = "0123456789abcdef";
    for (size_t i = 0; i < count; i++) {
        *text++ = digits[bytes[i] >> 4];
        *text++ = digits[bytes[i] & 15];
    }
    return text;
}

void zvt_id_format(const zvt_id_t *id, char text[ZVT_ID_TEXT])
{
    char *out = text;
    for (int i = 0; i < 16; i++) {
        if (i == 4 || i == 6 || i == 8 || i == 10) *out++ = '-';
        out = zvt_hex(out, &id->bytes[i], 1);
    }
    *out = '\0';
}

static int s_hex_digit(char c)
{
    if (c >= '0' && c <= '9') return c - '0';
    if (c >= 'a' && c <= 'f') return c - 'a' + 10;
    if (c >= 'A' && c <= 'F') return c - 'A' + 10;
    return -1;
}

int zvt_id_parse(const char *text, zvt_id_t *id)
{
    size_t length = strlen(text);
    if (length != 36 && length != 32) return ZVT_ERR_SYNTAX;
    zvt_id_t parsed;
    size_t at = 0;
    for (int i = 0; i < 16; i++) {
        if (length == 36 && (i == 4 || i == 6 || i == 8 || i == 10) && text[at++] != '-') return ZVT_ERR_SYNTAX;
        int high = s_hex_digit(text[at]);
        int low = high < 0 ? -1 : s_hex_digit(text[at + 1]);
        if (low < 0) return ZVT_ERR_SYNTAX;
        parsed.bytes[i] = (uint8_t)(high << 4 | low);
        at += 2;
    }
    *id = parsed;
    return 0;
}

/* FNV-1a, 128 bits. */
typedef unsigned __int128 fnv_t;
#define FNV_BASIS ((fnv_t)0x6c62272e07bb0142ULL << 64 | 0x62b821756295c58dULL)
#define FNV_PRIME ((fnv_t)0x0000000001000000ULL << 64 | 0x000000000000013BULL)

static fnv_t s_fnv(fnv_t hash, const char *text, size_t length)
{
    for (size_t i = 0; i < length; i++) hash = (hash ^ (uint8_t)text[i]) * FNV_PRIME;
    return hash;
}

static zvt_id_t s_id_of_hash(fnv_t hash)
{
    zvt_id_t id;
    for (int i = 0; i < 16; i++) id.bytes[i] = (uint8_t)(hash >> (120 - 8 * i));
    id.bytes[6] = (uint8_t)((id.bytes[6] & 0x0f) | 0x80); /* version 8: custom */
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80); /* RFC 9562 variant */
    return id;
}

zvt_id_t zvt_id_from_text(const char *text, size_t length)
{
    return s_id_of_hash(s_fnv(FNV_BASIS, text, length));
}

zvt_id_t zvt_id_of_position(const char *portfolio_id, const char *strategy_id, const char *symbol)
{
    fnv_t hash = s_fnv(FNV_BASIS, portfolio_id, strlen(portfolio_id));
    hash = s_fnv(s_fnv(hash, "|", 1), strategy_id, strlen(strategy_id));
    return s_id_of_hash(s_fnv(s_fnv(hash, "|", 1), symbol, strlen(symbol)));
}

static uint64_t s_splitmix(uint64_t *state)
{
    uint64_t z = (*state += 0x9e3779b97f4a7c15ULL);
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9ULL;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebULL;
    return z ^ (z >> 31);
}

void zvt_rng_seed(zvt_rng_t *self, uint64_t seed)
{
    for (int i = 0; i < 4; i++) self->state[i] = s_splitmix(&seed);
}

static uint64_t s_rotl(uint64_t x, int k)
{
    return (x << k) | (x >> (64 - k));
}

uint64_t zvt_rng_next(zvt_rng_t *self)
{
    uint64_t *s = self->state;
    uint64_t result = s_rotl(s[1] * 5, 7) * 9;
    uint64_t t = s[1] << 17;
    s[2] ^= s[0];
    s[3] ^= s[1];
    s[1] ^= s[2];
    s[0] ^= s[3];
    s[2] ^= t;
    s[3] = s_rotl(s[3], 45);
    return result;
}

uint64_t zvt_rng_below(zvt_rng_t *self, uint64_t bound)
{
    return (uint64_t)(((unsigned __int128)zvt_rng_next(self) * bound) >> 64);
}

double zvt_rng_unit(zvt_rng_t *self)
{
    return (double)(zvt_rng_next(self) >> 11) * 0x1.0p-53;
}

int64_t zvt_rng_pause_ns(zvt_rng_t *self, int64_t full_ns)
{
    int64_t drawn_ns = full_ns / 2;
    return full_ns - drawn_ns + (int64_t)zvt_rng_below(self, (uint64_t)drawn_ns + 1);
}

void zvt_idgen_init(zvt_idgen_t *self, uint64_t seed)
{
    memset(self, 0, sizeof *self);
    zvt_rng_seed(&self->rng, seed);
}

zvt_id_t zvt_idgen_next(zvt_idgen_t *self, int64_t now_ns)
{
    uint64_t now_ms = (uint64_t)now_ns / 1000000u;
    if (now_ms > self->last_ms) {
        self->last_ms = now_ms;
        self->counter = 0;
    } else if (++self->counter > 0xfff) {
        self->last_ms++;
        self->counter = 0;
    }
    uint64_t tail = zvt_rng_next(&self->rng);
    zvt_id_t id;
    for (int i = 0; i < 6; i++) id.bytes[i] = (uint8_t)(self->last_ms >> (40 - 8 * i));
    id.bytes[6] = (uint8_t)(0x70 | self->counter >> 8);
    id.bytes[7] = (uint8_t)self->counter;
    for (int i = 0; i < 8; i++) id.bytes[8 + i] = (uint8_t)(tail >> (56 - 8 * i));
    id.bytes[8] = (uint8_t)((id.bytes[8] & 0x3f) | 0x80);
    return id;
}
