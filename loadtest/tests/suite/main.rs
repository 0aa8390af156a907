//! The load test against a small server that is honest, lies or breaks down. One scenario a file, named for the
//! behaviour.

#![expect(clippy::unwrap_used, reason = "a test fails by panicking")]

#[path = "../support/mod.rs"]
mod support;

mod a_broken_connection_sends_the_same_requests_again;
mod a_failed_verification_is_exit_status_1;
mod a_full_socket_takes_the_rest_later;
mod a_full_window_delays_the_send_and_not_the_intended_start;
mod a_grant_that_is_lost_is_found_missing;
mod a_replay_must_be_the_original_answer;
mod a_reply_that_never_comes_is_resolved_by_look_up;
mod a_second_request_leaves_at_once_and_keeps_its_place;
mod a_server_that_restarts_is_found_again;
mod an_honest_server_passes;
mod batches_come_and_go;
mod batches_have_the_rules_that_were_asked_for;
mod compare_fails_only_for_the_worse;
mod counters_must_add_up;
mod coupons_are_locked_and_redeemed;
mod escape_codes_are_for_terminals;
mod files_say_what_the_report_says;
mod many_batches_are_asked_about_page_by_page;
mod many_grants_are_sampled;
mod mistakes_in_a_scenario_are_usage_errors;
mod no_server_outlives_a_sweep;
mod no_user_may_hold_more_than_the_limit;
mod out_of_step_replies_close_the_connection;
mod reservations_are_confirmed_when_they_stand;
mod serials_must_be_unique;
mod stock_must_not_be_exceeded;
mod the_flash_sale_file_sells_exactly_its_stock;
mod the_json_report_has_its_keys;
mod the_lowest_second_is_held_against_the_median;
mod the_page_needs_no_network;
mod the_servers_metrics_are_read_during_the_run;
mod wallets_are_read_page_by_page;
mod what_happened_when_adds_up;
mod what_is_gathered_leaves_together_and_the_wait_counts;
mod whole_frames_may_be_refused;
