zvt_room(common
    zvt_base.c zvt_codec.c zvt_config.c zvt_diag.c zvt_digest.c zvt_epoch.c zvt_epoch_file.c zvt_error.c zvt_file.c zvt_fixed.c zvt_fold.c zvt_follower.c zvt_frames.c zvt_hub.c
    zvt_id.c zvt_json.c zvt_link.c zvt_loop.c zvt_map.c zvt_memory.c zvt_mids.c zvt_puller.c zvt_quotes.c zvt_schema.c zvt_service.c zvt_snapshot.c
    zvt_socket.c zvt_stats.c zvt_subscriber.c zvt_text.c zvt_time.c zvt_verify.c zvt_waitlist.c)
target_link_libraries(zvt_common PUBLIC PkgConfig::DEPS m)
