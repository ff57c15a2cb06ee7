#include "checkpoint_pace.h"

#include "zvt_time.h"

enum {
    WORTH_EVENTS = 10000, /* so many new events are worth a checkpoint .. */
    WORTH_BYTES = 40,     /* .. and for each of them it may have so many bytes .. */
    LONG_EVENTS = 50000,  /* .. but so many are a long tail for who recovers .. */
};
#define SOONEST_NS (2 * ZVT_SECOND_NS) /* .. not more often than this .. */
#define LONG_NS (10 * ZVT_SECOND_NS)   /* .. and cut off after this, whatever it costs .. */
#define LATEST_NS (30 * ZVT_SECOND_NS) /* .. and any new event is worth one after this, and so long again for each MiB of it */

bool checkpoint_pace_is_due(uint64_t news, size_t bytes, int64_t age_ns)
{
    bool worth = news >= WORTH_EVENTS && news >= bytes / WORTH_BYTES;
    int64_t latest_ns = LATEST_NS * (1 + (int64_t)(bytes >> 20));
    return (worth && age_ns >= SOONEST_NS) || (news >= LONG_EVENTS && age_ns >= LONG_NS) || (news > 0 && age_ns >= latest_ns);
}
