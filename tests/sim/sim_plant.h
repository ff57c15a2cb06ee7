/* sim_plant -- which deliberate bug this simulator has; only in zvt-sim-planted. */
#ifndef SIM_PLANT_H
#define SIM_PLANT_H

#include <stdbool.h>

/* Plants the bug of that name (common/zvt_planted.h, in lower case); false if it is none that the simulator reaches. */
bool sim_plant(const char *name);

#endif
