zvt_room(executor executor_core.c router_core.c venue_health.c)
zvt_binary(executor zvt-executor executor_main.c)
