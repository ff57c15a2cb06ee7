zvt_room(portfolio fill_memory.c portfolio_core.c position_core.c projection.c)
zvt_binary(portfolio zvt-portfolio portfolio_main.c)
