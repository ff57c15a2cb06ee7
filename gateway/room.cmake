zvt_room(gateway batch_core.c market_core.c order_entry_core.c backlog.c paper_adapter.c paper_core.c symbol_map.c)
zvt_binary(gateway zvt-gateway gateway_main.c)
