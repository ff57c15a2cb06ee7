#include <criterion/criterion.h>
#include <string.h>

#include "zvt_verify.h"

static uint32_t s_dump(const void *state, FILE *out)
{
    fputs(state, out);
    return 3;
}

static bool s_answer(const zvt_digests_t *digests, const char *argument, char *body, size_t size)
{
    FILE *out = fmemopen(body, size, "w");
    bool found = zvt_digests_answer(digests, argument, out);
    fclose(out);
    return found;
}

Test(verify, answers_with_the_digest_of_the_text_at_that_seq)
{
    zvt_digests_t digests = {0};
    zvt_digest_t digest = zvt_digest_of(42, s_dump, "hello");
    zvt_digests_add(&digests, &digest);
    char body[256] = "", id[ZVT_ID_TEXT], expected[256];
    cr_assert(s_answer(&digests, "42", body, sizeof body));
    zvt_id_t wanted = zvt_id_from_text("hello", 5);
    zvt_id_format(&wanted, id);
    snprintf(expected, sizeof expected, "{\"seq\": 42, \"digest\": \"%s\", \"items\": 3}", id);
    cr_assert_str_eq(body, expected);
}

Test(verify, keeps_the_last_eight_digests)
{
    zvt_digests_t digests = {0};
    char body[256], seq[16];
    for (uint64_t n = 1; n <= 9; n++) {
        zvt_digest_t digest = zvt_digest_of(n, s_dump, "x");
        zvt_digests_add(&digests, &digest);
    }
    cr_assert_not(s_answer(&digests, "1", body, sizeof body));
    for (int n = 2; n <= 9; n++) {
        snprintf(seq, sizeof seq, "%d", n);
        cr_assert(s_answer(&digests, seq, body, sizeof body));
    }
}

Test(verify, says_why_there_is_no_digest)
{
    zvt_digests_t digests = {0};
    char body[256] = "";
    cr_assert_not(s_answer(&digests, "7", body, sizeof body));
    cr_assert_not_null(strstr(body, "no digest at seq 7"));
    const char *wrong[] = {"", "x", "-1", "1x", " 1", "99999999999999999999999"};
    for (size_t i = 0; i < sizeof wrong / sizeof wrong[0]; i++) {
        cr_assert_not(s_answer(&digests, wrong[i], body, sizeof body));
        cr_assert_not_null(strstr(body, "takes the seq"), "%s: %s", wrong[i], body);
    }
}
