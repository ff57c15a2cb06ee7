/* dump -- prints a venue's ledger for people and for `fleet verify`.
 *
 * Shapes   one JSON object a line: every report in order, then one balance per asset. */
#ifndef VENUE_DUMP_H
#define VENUE_DUMP_H

#include <stdio.h>

#include "zvt_config.h"

/* Reads the ledger without changing it: 0, or a status with `problem`. */
ZVT_MUSTUSE int dump_ledger(const zvt_fleet_t *fleet, uint32_t venue, const char *path, FILE *out,
                            char problem[ZVT_PROBLEM_SIZE]);

#endif
