zvt_room(gateway backlog.c batch_core.c market_core.c order_entry_core.c paper_adapter.c paper_core.c symbol_map.c)
zvt_binary(gateway zvt-gateway gateway_main.c)
