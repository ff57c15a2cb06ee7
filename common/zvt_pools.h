/* zvt_pools -- sizes of the cores' fixed pools: large in the products, small where a world is built thousands of times.
 *
 * A core allocates everything at its start. The simulator starts a core with every simulated restart, so it compiles
 * the same sources with ZVT_SMALL_POOLS: a start then costs microseconds, and bounds are within reach. */
#ifndef ZVT_POOLS_H
#define ZVT_POOLS_H

#ifdef ZVT_SMALL_POOLS
#define ZVT_POOL(size, small) (small)
#else
#define ZVT_POOL(size, small) (size)
#endif

/* Positions that a log may ever hold: combinations of portfolio, strategy and symbol. A closed one keeps its place, because
 * its versions go on and its result is asked for. The orchestrator refuses orders beyond it, so that nobody behind it
 * meets a position more. */
enum { ZVT_POSITIONS_MAX = ZVT_POOL(65536, 256) };

#endif
