/* runs -- the runs of a process as the supervisor's scripts noted them: files of a service folder's data/runs.
 *
 * Shapes   for run N, in slot N modulo RESTARTS_MAX: start.SLOT and ready.SLOT hold N, end.SLOT holds
 *          "N EXITCODE SIGNAL", asked.SLOT holds N; when it happened is the file's time of modification. A file whose
 *          N differs from that of start.SLOT is left from an older run.
 * Errors   what cannot be read is taken as not noted. */
#ifndef MONITOR_RUNS_H
#define MONITOR_RUNS_H

#include "restarts_core.h"

/* Lists the restarts of process `name` of the service folders in `services`, oldest first; returns their number. */
size_t runs_restarts(const char *services, const char *name, restart_t restarts[RESTARTS_MAX]);

#endif
