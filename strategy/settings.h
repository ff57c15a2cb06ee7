/* settings -- a strategy's settings: text in, members of its state out.
 *
 * Pure.
 * Bounds   SETTINGS_PROBLEM_SIZE bytes of explanation, cut beyond.
 * Errors   ZVT_ERR_NOT_FOUND (no such key), ZVT_ERR_SYNTAX, ZVT_ERR_RANGE; `problem` then says what was given, what is
 *          accepted, and names the known keys. The state is unchanged. */
#ifndef SETTINGS_H
#define SETTINGS_H

#include <stdio.h>

#include "zvt_strategy.h"

enum { SETTINGS_PROBLEM_SIZE = 768 };

/* Writes every default into the state. A default that its own table refuses is our bug. */
void settings_defaults(const zvt_strategy_t *strategy, void *state);

/* Sets one key. */
ZVT_MUSTUSE int settings_set(const zvt_strategy_t *strategy, void *state, const char *key, const char *value,
                             char problem[SETTINGS_PROBLEM_SIZE]);

/* Splits "key=value" into a setting. ZVT_ERR_SYNTAX: no '=', or an empty key; ZVT_ERR_RANGE: a part is too long. */
ZVT_MUSTUSE int settings_split(const char *text, size_t length, zvt_setting_t *setting,
                               char problem[SETTINGS_PROBLEM_SIZE]);

/* Splits "key=value,key=value". ZVT_ERR_FULL: more than `max`. Errors of settings_split. */
ZVT_MUSTUSE int settings_split_list(const char *text, zvt_setting_t *settings, uint32_t max, uint32_t *count,
                                    char problem[SETTINGS_PROBLEM_SIZE]);

/* Describes strategies and their keys, for people or as one JSON array. */
void settings_print(FILE *out, const zvt_strategy_t *const *strategies, size_t count);
void settings_print_json(FILE *out, const zvt_strategy_t *const *strategies, size_t count);

#endif
