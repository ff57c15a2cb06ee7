/* symbols -- which instruments of the fleet file a recording holds, for the supervisor script.
 *
 * Shapes   one symbol a line, as the fleet file spells it, in its order.
 * Bounds   the first SYMBOLS_EVENTS events of each file are looked at: a symbol that comes later than that is not found.
 * Errors   as capture_new, with `problem`. */
#ifndef VENUE_SYMBOLS_H
#define VENUE_SYMBOLS_H

#include <stdio.h>

#include "zvt_config.h"

enum { SYMBOLS_EVENTS = 20000 };

ZVT_MUSTUSE int symbols_print(const zvt_fleet_t *fleet, const char *files, FILE *out, char problem[ZVT_PROBLEM_SIZE]);

#endif
