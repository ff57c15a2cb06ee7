/* account_image -- an account as bytes, and an account from bytes: what a checkpoint holds.
 *
 * Pure. Two accounts that folded the same records at the same times have the same image, so the image also is what tests
 * compare. What follows from the fleet file is not in it: what open orders hold is worked out again with today's fees.
 * Shapes   names, counts and chains, then one row for each id that is remembered; in the machine's byte order. Rows
 *          are laid out by hand, so that reading a million of them is little more than looking at them.
 * Bounds   what the account that reads it remembers (ids_max); an image with more ids is ZVT_ERR_FULL.
 * Errors   0, ZVT_ERR_INVALID (of other instruments or assets), ZVT_ERR_FULL, ZVT_ERR_TRUNCATED, ZVT_ERR_CORRUPT,
 *          ZVT_ERR_OVERFLOW. Rows, chains and counts are held against each other, so that no bytes make an account that
 *          breaks its own rules; whether its numbers are true is what the checkpoint's checksum says. */
#ifndef VENUE_ACCOUNT_IMAGE_H
#define VENUE_ACCOUNT_IMAGE_H

#include "account_core.h"

/* Takes a piece of the image, in order; non-zero ends the writing with this status. */
typedef int(account_image_fn)(void *arg, const void *bytes, size_t length);

/* Writes the account between two records of its ledger. */
ZVT_MUSTUSE int account_image_save(const account_core_t *account, account_image_fn *fn, void *arg);
/* Reads it into an account that is new. After an error that account is good for nothing but destroying it. */
ZVT_MUSTUSE int account_image_load(account_core_t *account, const uint8_t *bytes, size_t size);

#endif
