//! The command line: the real binary, against files, a scripted server, a real server, or nothing at all.

mod batch;
mod batch_edit;
mod batch_numbers;
mod check_config;
mod claim;
mod coupon;
mod exit_status;
mod feed;
mod flag_positions;
mod help;
mod real_reading;
mod real_sale;
mod real_server;
mod real_start;
mod real_terms;
mod reservation;
mod scripted;
mod support;
mod tour;
mod wallet;
mod wrong_usage;
