zvt_room(monitor
    args.c chain_core.c client.c command.c control.c decode.c decode_core.c fleet_file.c format.c kill.c lists.c order.c repair.c replay.c resolve.c restarts.c
    restarts_core.c rows.c runs.c saga.c schema.c schema_doc.c status.c status_core.c summary.c switches.c table.c tail.c tail_core.c)
target_link_libraries(zvt_monitor PUBLIC PkgConfig::JANSSON)
zvt_binary(monitor zvt-monitor monitor_main.c)
