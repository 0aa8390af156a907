//! What reaches the server beside the load: one question at a time, and sockets for those who need one.

pub mod batches;
pub mod control;
pub mod link;
pub mod pages;
pub mod reconnect;
