#include "zvt_digest.h"

#include <errno.h>
#include <inttypes.h>
#include <stdlib.h>

zvt_digest_t zvt_digest_of(uint64_t seq, zvt_dump_fn *dump, const void *state)
{
    char *text = NULL;
    size_t length = 0;
    FILE *out = open_memstream(&text, &length);
    ZVT_ASSERT(out != NULL);
    zvt_digest_t digest = {.seq = seq, .items = dump(state, out)};
    ZVT_ASSERT(fclose(out) == 0);
    digest.digest = zvt_id_from_text(text, length);
    free(text);
    return digest;
}

void zvt_digest_print_members(const zvt_digest_t *digest, FILE *out)
{
    char text[ZVT_ID_TEXT];
    zvt_id_format(&digest->digest, text);
    fprintf(out, "\"seq\": %" PRIu64 ", \"digest\": \"%s\", \"items\": %" PRIu32, digest->seq, text, digest->items);
}

void zvt_digest_print(const zvt_digest_t *digest, FILE *out)
{
    fputc('{', out);
    zvt_digest_print_members(digest, out);
    fputc('}', out);
}

void zvt_digests_add(zvt_digests_t *self, const zvt_digest_t *digest)
{
    self->kept[self->count++ % ZVT_DIGESTS_KEPT] = *digest;
}

const zvt_digest_t *zvt_digests_find(const zvt_digests_t *self, uint64_t seq)
{
    for (uint32_t i = 0; i < ZVT_DIGESTS_KEPT && i < self->count; i++)
        if (self->kept[i].seq == seq) return &self->kept[i];
    return NULL;
}

int zvt_digest_parse_seq(const char *text, uint64_t *seq)
{
    if (text[0] < '0' || text[0] > '9') return ZVT_ERR_SYNTAX;
    char *end;
    errno = 0;
    *seq = strtoull(text, &end, 10);
    return *end != '\0' || errno != 0 ? ZVT_ERR_SYNTAX : 0;
}

bool zvt_digests_answer(const zvt_digests_t *self, const char *argument, FILE *body)
{
    uint64_t seq;
    if (zvt_digest_parse_seq(argument, &seq) != 0) {
        fprintf(body, "digest takes the seq of a system.barrier event, not '%s'", argument);
        return false;
    }
    const zvt_digest_t *digest = zvt_digests_find(self, seq);
    if (digest != NULL)
        zvt_digest_print(digest, body);
    else
        fprintf(body, "no digest at seq %" PRIu64 ": it is not folded yet, no barrier, or older than the last %d", seq, ZVT_DIGESTS_KEPT);
    return digest != NULL;
}
