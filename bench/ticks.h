/* ticks -- what the source and the sinks of the ticks benchmark agree on.
 *
 * Trade ids are 1, 2, 3 .. over all instruments of the source by turns, so that a sink notices what is missing wherever
 * it was lost. Trades with id 0 are not measured: they tell a sink that it is connected, or that the measurement is over. */
#ifndef TICKS_H
#define TICKS_H

#include "zvt_fixed.h"

#define TICKS_QUANTITY_MEASURED_E8 ZVT_E8
#define TICKS_QUANTITY_END_E8 (2 * ZVT_E8)

#endif
