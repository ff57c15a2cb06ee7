zvt_room(risk exposure.c rate_window.c risk_checks.c risk_core.c)
zvt_binary(risk zvt-risk risk_main.c)
