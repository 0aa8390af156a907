//! Ends a sweep that is interrupted: the premises are cleared before the process is gone.
//!
//! Signals come through tokio, which wraps the system's handlers without unsafe code here.

use std::future::poll_fn;
use std::io::{self, Write};
use std::panic;
use std::process;
use std::task::Poll;
use std::thread;

use tokio::runtime::Builder;
use tokio::signal::unix::{Signal, SignalKind, signal};

use super::premises::Cleaner;

/// What a shell adds to a signal's number to make it an exit status.
const SIGNAL_STATUS: i32 = 128;

/// From now on Ctrl-C, SIGTERM, a closed terminal and a panic clear the premises before the process ends.
///
/// # Errors
/// When the system gives no signal handlers.
pub fn clear_when_interrupted(cleaner: &Cleaner) -> io::Result<()> {
    let runtime = Builder::new_current_thread().enable_io().build()?;
    let kinds = [SignalKind::interrupt(), SignalKind::terminate(), SignalKind::hangup()];
    // Here, and not in the thread: none may come between this call and the handlers.
    let entered = runtime.enter();
    let mut signals = kinds.into_iter().map(|kind| Ok((kind, signal(kind)?))).collect::<io::Result<Vec<_>>>()?;
    drop(entered);
    let of_signals = cleaner.clone();
    thread::Builder::new().name("signals".to_owned()).spawn(move || {
        let kind = runtime.block_on(first_of(&mut signals));
        of_signals.clear();
        let _ = writeln!(io::stderr(), "stockade-loadtest: interrupted; the server is killed and its data is removed");
        process::exit(SIGNAL_STATUS + kind.as_raw_value());
    })?;
    let of_panics = cleaner.clone();
    let report = panic::take_hook();
    panic::set_hook(Box::new(move |info| {
        report(info);
        of_panics.clear_unless_busy();
    }));
    Ok(())
}

/// Stays until the thread that cleared the premises has ended the process, so that what follows from a killed server is
/// not taken for the reason.
pub fn wait_for_the_end() -> ! {
    loop {
        thread::park();
    }
}

/// Waits for one of the signals: which it was.
async fn first_of(signals: &mut [(SignalKind, Signal)]) -> SignalKind {
    poll_fn(|context| {
        let mut polled = signals.iter_mut().map(|(kind, signal)| signal.poll_recv(context).map(|_| *kind));
        polled.find(Poll::is_ready).unwrap_or(Poll::Pending)
    })
    .await
}
