//! The real server as a process, over real sockets and on a real disk.

mod crowd;
mod handwritten;
mod kill;
mod merchant;
mod server;
mod shopper;
