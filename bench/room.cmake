# What measures: a load of orders, an observer of the log, market data at a chosen rate, a log of any length, the limits
# of the machine, and the peer to compare with.
zvt_room(bench load_core.c load_stages.c)
zvt_binary(bench zvt-load load_main.c)
zvt_binary(bench zvt-watch watch_main.c)
