zvt_room(orchestrator
    accounts.c admission_core.c commands.c dedup_core.c done_core.c early_routes.c fills.c letters.c lists.c notices.c operator.c order_core.c place_order.c
    reconcile.c recovery.c reports.c saga_core.c turn_core.c turn_dump.c turn_save.c turn_stage.c window.c
    checkpoint_pace.c checkpoint_store.c halt_file.c
    lease_core.c log_lease.c log_reader.c log_recovery.c log_rows.c log_stream.c log_writer.c pg_session.c
    archive_chain.c archive_file.c archive_job.c archive_store.c refold.c)
target_link_libraries(zvt_orchestrator PUBLIC PkgConfig::CRYPTO PkgConfig::ZLIB)
zvt_binary(orchestrator zvt-orchestrator orchestrator_main.c orchestrator_log.c orchestrator_sockets.c)
zvt_binary(orchestrator zvt-checkpointer checkpointer_main.c)
zvt_binary(orchestrator zvt-replayer replayer_main.c)
zvt_binary(orchestrator zvt-archiver archiver_main.c)
