zvt_room(executor breaker_core.c emergency_core.c executor_core.c journal_format.c pacer_core.c router_core.c throttle_core.c venue_health.c)
zvt_binary(executor zvt-executor executor_main.c)
