#include "sim_plant.h"

#include <stddef.h>
#include <string.h>

#include "zvt_planted.h"

int zvt_planted = ZVT_PLANT_NONE;

bool sim_plant(const char *name)
{
    static const struct {
        const char *name;
        int bug;
    } bugs[] = {{"ack_before_commit", ZVT_PLANT_ACK_BEFORE_COMMIT},
                {"no_deduplication", ZVT_PLANT_NO_DEDUPLICATION},
                {"no_fence", ZVT_PLANT_NO_FENCE},
                {"resend_without_asking", ZVT_PLANT_RESEND_WITHOUT_ASKING},
                {"forget_pending_exposure", ZVT_PLANT_FORGET_PENDING_EXPOSURE},
                {"async_commit_dropped_tail", ZVT_PLANT_ASYNC_COMMIT_DROPPED_TAIL},
                {"send_expired", ZVT_PLANT_SEND_EXPIRED}};
    for (size_t i = 0; i < sizeof bugs / sizeof bugs[0]; i++)
        if (strcmp(bugs[i].name, name) == 0) zvt_planted = bugs[i].bug;
    return zvt_planted != ZVT_PLANT_NONE;
}
