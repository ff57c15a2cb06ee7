#include "zvt_fixed.h"

#include <stdbool.h>
#include <string.h>

enum { DECIMALS = 8 };

/* Adds one decimal digit to a magnitude that must stay within int64. */
static int s_push_digit(uint64_t *magnitude, char digit)
{
    if (*magnitude > (uint64_t)INT64_MAX / 10) return ZVT_ERR_OVERFLOW;
    uint64_t next = *magnitude * 10 + (uint64_t)(digit - '0');
    if (next > (uint64_t)INT64_MAX) return ZVT_ERR_OVERFLOW;
    *magnitude = next;
    return 0;
}

int zvt_fixed_parse(const char *text, size_t length, int64_t *value_e8)
{
    size_t i = 0;
    bool negative = false;
    if (i < length && (text[i] == '-' || text[i] == '+')) negative = text[i++] == '-';

    uint64_t magnitude = 0;
    int decimals = -1; /* -1: the point has not been seen */
    size_t digits = 0;
    for (; i < length; i++) {
        char c = text[i];
        if (c == '.' && decimals < 0) {
            decimals = 0;
            continue;
        }
        if (c < '0' || c > '9') return ZVT_ERR_SYNTAX;
        digits++;
        if (decimals == DECIMALS) {
            if (c != '0') return ZVT_ERR_SYNTAX;
            continue;
        }
        if (s_push_digit(&magnitude, c) != 0) return ZVT_ERR_OVERFLOW;
        if (decimals >= 0) decimals++;
    }
    if (digits == 0) return ZVT_ERR_SYNTAX;
    for (int d = decimals < 0 ? 0 : decimals; d < DECIMALS; d++)
        if (s_push_digit(&magnitude, '0') != 0) return ZVT_ERR_OVERFLOW;
    *value_e8 = negative ? -(int64_t)magnitude : (int64_t)magnitude;
    return 0;
}

size_t zvt_fixed_format(int64_t value_e8, char text[ZVT_FIXED_TEXT])
{
    char reversed[ZVT_FIXED_TEXT];
    size_t n = 0, length = 0;
    uint64_t magnitude = value_e8 < 0 ? (uint64_t)0 - (uint64_t)value_e8 : (uint64_t)value_e8;
    uint64_t whole = magnitude / (uint64_t)ZVT_E8, fraction = magnitude % (uint64_t)ZVT_E8;
    if (fraction != 0) {
        int places = DECIMALS;
        while (fraction % 10 == 0) {
            fraction /= 10;
            places--;
        }
        for (; places > 0; places--, fraction /= 10) reversed[n++] = (char)('0' + fraction % 10);
        reversed[n++] = '.';
    }
    do {
        reversed[n++] = (char)('0' + whole % 10);
        whole /= 10;
    } while (whole != 0);
    if (value_e8 < 0) reversed[n++] = '-';
    while (n > 0) text[length++] = reversed[--n];
    text[length] = '\0';
    return length;
}

int zvt_fixed_muldiv(int64_t a, int64_t b, int64_t c, int64_t *result)
{
    if (c == 0) return ZVT_ERR_INVALID;
    __int128 product = (__int128)a * b;
    __int128 divisor = c;
    if (divisor < 0) {
        divisor = -divisor;
        product = -product;
    }
    __int128 half = divisor / 2;
    __int128 quotient = (product >= 0 ? product + half : product - half) / divisor;
    if (quotient > INT64_MAX || quotient < -INT64_MAX) return ZVT_ERR_OVERFLOW;
    *result = (int64_t)quotient;
    return 0;
}

int zvt_fixed_mul(int64_t a_e8, int64_t b_e8, int64_t *product_e8)
{
    return zvt_fixed_muldiv(a_e8, b_e8, ZVT_E8, product_e8);
}

int zvt_fixed_div(int64_t a_e8, int64_t b_e8, int64_t *quotient_e8)
{
    return zvt_fixed_muldiv(a_e8, ZVT_E8, b_e8, quotient_e8);
}

int zvt_fixed_add(int64_t a_e8, int64_t b_e8, int64_t *sum_e8)
{
    int64_t sum;
    if (__builtin_add_overflow(a_e8, b_e8, &sum)) return ZVT_ERR_OVERFLOW;
    *sum_e8 = sum;
    return 0;
}

int zvt_fixed_sub(int64_t a_e8, int64_t b_e8, int64_t *difference_e8)
{
    int64_t difference;
    if (__builtin_sub_overflow(a_e8, b_e8, &difference)) return ZVT_ERR_OVERFLOW;
    *difference_e8 = difference;
    return 0;
}
