//! What signals do to a run: the first interrupts it, the second ends it, and a file size limit is a full disk.

use tokio_util::sync::CancellationToken;

use crate::{exit_code::INTERRUPTED, progress};

/// Cancelled by the first Ctrl-C, SIGTERM or SIGHUP (a closed terminal): stop, save, report. The second one leaves at once.
pub fn interrupt() -> CancellationToken {
    let interrupt = CancellationToken::new();
    let told = interrupt.clone();
    // Lives as long as the process: there is always someone to listen to the second signal.
    tokio::spawn(async move {
        use tokio::signal::unix::{SignalKind, signal};
        let watched = (
            signal(SignalKind::interrupt()),
            signal(SignalKind::terminate()),
            signal(SignalKind::hangup()),
        );
        let (Ok(mut ctrl_c), Ok(mut terminate), Ok(mut hangup)) = watched else {
            return;
        };
        loop {
            tokio::select! {
                _ = ctrl_c.recv() => {}
                _ = terminate.recv() => {}
                _ = hangup.recv() => {}
            }
            if told.is_cancelled() {
                std::process::exit(i32::from(INTERRUPTED));
            }
            progress::tell("\nstopping: what was measured is saved (once more leaves at once)");
            told.cancel();
        }
    });
    interrupt
}

/// A write beyond `ulimit -f` is to fail as on a full disk, and not to end the program and what it has measured.
pub fn outlive_file_limit() {
    // A handler, unlike ignoring, takes no unsafe code. It stays when its listener goes, and without it all is as before.
    let signal = tokio::signal::unix::SignalKind::from_raw(nix::libc::SIGXFSZ);
    let _ = tokio::signal::unix::signal(signal);
}
