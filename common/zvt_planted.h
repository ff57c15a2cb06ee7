/* zvt_planted -- deliberate bugs, to test the tests: is the simulator, or the chaos run, able to find them?
 *
 * `if (ZVT_PLANTED(NO_FENCE)) ...` compiles to nothing unless the build was configured with -DZVT_PLANT=no_fence, or is the
 * simulator zvt-sim-planted, which takes the bug's name as an option. No product is built that way. See docs/reliability.md
 * for who found which. */
#ifndef ZVT_PLANTED_H
#define ZVT_PLANTED_H

enum {
    ZVT_PLANT_NONE,
    ZVT_PLANT_ACK_BEFORE_COMMIT,          /* orchestrator: a signal is acknowledged before it is durable */
    ZVT_PLANT_NO_DEDUPLICATION,           /* orchestrator: a signal seen before becomes another order */
    ZVT_PLANT_NO_FENCE,                   /* executor, gateway: a writer that was replaced is obeyed */
    ZVT_PLANT_RESEND_WITHOUT_ASKING,      /* orchestrator: an order in doubt is sent anew, whatever the venue says */
    ZVT_PLANT_FORGET_PENDING_EXPOSURE,    /* risk: orders on their way do not count against the limits */
    ZVT_PLANT_ASYNC_COMMIT_DROPPED_TAIL,  /* database: confirms before it is durable, and loses the tail when it dies */
    ZVT_PLANT_SEND_EXPIRED,               /* orchestrator, executor, gateway, venue: an order goes on however late it is */
};

#ifndef ZVT_PLANT
#define ZVT_PLANT ZVT_PLANT_NONE
#endif

#ifdef ZVT_PLANT_CHOSEN
extern int zvt_planted; /* ZVT_PLANT_*, chosen at the start */
#define ZVT_PLANTED(bug) (zvt_planted == ZVT_PLANT_##bug)
#else
#define ZVT_PLANTED(bug) (ZVT_PLANT == ZVT_PLANT_##bug)
#endif

#endif
