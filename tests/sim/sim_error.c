/* The texts of common/zvt_error.c, without its end of the process: a failed assertion ends the seed (sim_run.c). */
#define zvt_assert_failed zvt_assert_failed_for_good
#include "../../common/zvt_error.c"
