/* zvt_fixed -- money and quantities as fixed point 1e-8 in int64.
 *
 * Units    *_e8: the value times 100,000,000. 1.5 is 150000000.
 * Errors   leave the result untouched.
 * Bounds   about +-92.2 billion; everything beyond is ZVT_ERR_OVERFLOW, never a wrapped number.
 * Source   1e-8 is the satoshi, and the finest step of the venues we know. */
#ifndef ZVT_FIXED_H
#define ZVT_FIXED_H

#include <stddef.h>
#include <stdint.h>

#include "zvt_error.h"

#define ZVT_E8 INT64_C(100000000)
#define ZVT_FIXED_TEXT 24 /* bytes that hold any formatted value with its NUL */

/* Reads a decimal such as "-12.5" of exactly `length` bytes. More than 8 decimals, an exponent, blanks or an empty
 * text are ZVT_ERR_SYNTAX; trailing zeros past the eighth decimal are accepted. */
ZVT_MUSTUSE int zvt_fixed_parse(const char *text, size_t length, int64_t *value_e8);

/* Writes the shortest exact decimal ("0.1", "60000", "-1.00000001") and returns its length. */
size_t zvt_fixed_format(int64_t value_e8, char text[ZVT_FIXED_TEXT]);

/* a_e8 * b_e8, rounded half away from zero. */
ZVT_MUSTUSE int zvt_fixed_mul(int64_t a_e8, int64_t b_e8, int64_t *product_e8);

/* a_e8 / b_e8, rounded half away from zero; division by zero is ZVT_ERR_INVALID. */
ZVT_MUSTUSE int zvt_fixed_div(int64_t a_e8, int64_t b_e8, int64_t *quotient_e8);

/* a * b / c in 128 bits, rounded half away from zero: a ratio without an intermediate overflow. */
ZVT_MUSTUSE int zvt_fixed_muldiv(int64_t a, int64_t b, int64_t c, int64_t *result);

ZVT_MUSTUSE int zvt_fixed_add(int64_t a_e8, int64_t b_e8, int64_t *sum_e8);
ZVT_MUSTUSE int zvt_fixed_sub(int64_t a_e8, int64_t b_e8, int64_t *difference_e8);

#endif
