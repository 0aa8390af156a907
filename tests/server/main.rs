//! The data port from outside: a real server, on an engine in memory or in a folder, asked through real sockets with
//! frames made by hand. Each module holds the server to one part of `docs/protocol.md`.

mod access;
mod clients;
mod connections;
mod coupon_reading;
mod coupons;
mod deadlines;
mod feed;
mod feed_consumers;
mod gateways;
mod handshake;
mod hang_ups;
mod items;
mod leaving;
mod malformed;
mod numbers;
mod out_of_step;
mod overload;
mod pipeline;
mod readers;
mod reservations;
mod retries;
mod support;
mod time_limits;
mod unavailable;
mod wallets;
