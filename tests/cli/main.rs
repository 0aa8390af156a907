//! The command line: the real binary, against files, a scripted server, a real server, or nothing at all.

mod batch;
mod check_config;
mod claim;
mod exit_status;
mod flag_positions;
mod help;
mod real_sale;
mod real_server;
mod real_start;
mod support;
mod wrong_usage;
