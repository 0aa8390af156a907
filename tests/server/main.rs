//! The data port from outside: a real server on an engine in memory, asked through real sockets with frames made by
//! hand. Each module holds the server to one part of `docs/protocol.md`.

mod access;
mod connections;
mod deadlines;
mod gateways;
mod handshake;
mod hang_ups;
mod items;
mod leaving;
mod malformed;
mod out_of_step;
mod overload;
mod pipeline;
mod retries;
mod support;
mod time_limits;
