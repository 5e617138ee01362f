//! A crowd's process: started, told its size, listened to, and ended.
//!
//! ```text
//! Order (newest only) -> stdin of `crowd --transport …` -> its clients -> stdout, a line a second -> Figures (newest only)
//! ```
//!
//! It is ended when it is no longer wanted, when its time is over, and when the server stops; should this process be killed, its stdin ends,
//! and so does it. It has nothing to save, so it is always killed and then waited for.

use std::{net::SocketAddr, process::Stdio, time::Duration};

use tokio::{
    io::{AsyncBufReadExt, AsyncWriteExt, BufReader},
    process::{Child, ChildStdin, Command},
    sync::watch,
    time::{Instant, sleep_until, timeout},
};
use tokio_util::sync::CancellationToken;

use super::figures::Figures;
use crate::process::LastWords;

/// How long a crowd's process may tell nothing until its figures are taken for old: five times what it needs.
const SILENCE: Duration = Duration::from_secs(5);
/// How long it may take to read an order. The pipe holds thousands: only a process that stands still for long fills it.
const ORDER_TIMEOUT: Duration = Duration::from_secs(1);

/// What is asked of a crowd.
#[derive(Debug, Clone, Copy)]
pub struct Order {
    pub clients: u32,
    /// When it ends by itself, unless it is asked for anew.
    pub until: Instant,
    /// How long that was when it was asked for.
    pub lasts: Duration,
}

/// The process: this program again, the running file itself, even when it was replaced by a newer build meanwhile.
pub fn command(url: &str, address: SocketAddr, transport: &str) -> Command {
    let mut command = Command::new("/proc/self/exe");
    let address = address.to_string();
    command.args(["crowd", "--url", url, "--address", &address, "--transport", transport]);
    // A group of its own: Ctrl-C is for the server, which then ends its crowds.
    command.process_group(0);
    command
}

/// Keeps a crowd until nobody sends orders any more, it is over, or the server stops. What it ended with stands in the last figures.
pub async fn keep(
    mut command: Command,
    orders: watch::Receiver<Order>,
    told: watch::Sender<Figures>,
    stop: CancellationToken,
) {
    if stop.is_cancelled() {
        return;
    }
    command
        .stdin(Stdio::piped())
        .stdout(Stdio::piped())
        .stderr(Stdio::piped());
    let ended = match command.kill_on_drop(true).spawn() {
        Ok(child) => follow(child, orders, &told, &stop).await,
        Err(error) => format!("the process of this crowd could not be started: {error}"),
    };
    told.send_modify(|figures| *figures = without_rates(figures, ended));
}

/// Follows the process to its end, which is told in words.
async fn follow(
    mut child: Child,
    mut orders: watch::Receiver<Order>,
    told: &watch::Sender<Figures>,
    stop: &CancellationToken,
) -> String {
    let (Some(mut stdin), Some(stdout), Some(stderr)) = (child.stdin.take(), child.stdout.take(), child.stderr.take())
    else {
        return "the process of this crowd has no pipes".into();
    };
    let mut last_words = LastWords::of(stderr);
    let mut lines = BufReader::new(stdout).lines();
    let mut order = *orders.borrow_and_update();
    tell(&mut stdin, order).await;
    let mut old_at = Instant::now() + SILENCE;
    let ended = loop {
        tokio::select! {
            biased;
            () = stop.cancelled() => break Some("the server is stopping".into()),
            () = sleep_until(order.until) => {
                break Some(format!("ended by itself after {} s: set it again to go on", order.lasts.as_secs()));
            }
            changed = orders.changed() => match changed {
                Ok(()) => {
                    order = *orders.borrow_and_update();
                    tell(&mut stdin, order).await;
                }
                Err(_) => break Some("no longer wanted".into()),
            },
            line = lines.next_line() => match line {
                Ok(Some(line)) => match serde_json::from_str(&line) {
                    Ok(figures) => {
                        told.send_replace(figures);
                        old_at = Instant::now() + SILENCE;
                    }
                    Err(error) => break Some(format!("the process of this crowd said no figures: {error}")),
                },
                Ok(None) | Err(_) => break None,
            },
            () = sleep_until(old_at) => {
                let words = format!("nothing was heard of this crowd for {} s: the machine may be too busy", SILENCE.as_secs());
                told.send_modify(|figures| *figures = without_rates(figures, words));
                old_at = Instant::now() + SILENCE;
            }
        }
    };
    // From now on an order starts another process.
    drop(orders);
    // Of a process that has ended already this changes nothing, its status neither.
    let _ = child.start_kill();
    match (ended, child.wait().await) {
        (Some(words), _) => words,
        (None, Ok(status)) => format!("the process of this crowd ended: {}", last_words.epitaph(status).await),
        (None, Err(error)) => format!("the process of this crowd is lost: {error}"),
    }
}

/// A process that does not listen has ended, which its stdout tells, or is silent, which is told then.
async fn tell(stdin: &mut ChildStdin, order: Order) {
    let _ = timeout(
        ORDER_TIMEOUT,
        stdin.write_all(format!("{}\n", order.clients).as_bytes()),
    )
    .await;
}

/// The sums of a crowd of which nothing is known now: no rate of then is shown as one of now.
fn without_rates(figures: &Figures, error: String) -> Figures {
    Figures {
        clients: figures.clients,
        updates: figures.updates,
        missed: figures.missed,
        lagged: figures.lagged,
        duplicates: figures.duplicates,
        out_of_order: figures.out_of_order,
        errors: figures.errors,
        error: Some(error),
        ..Figures::default()
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const LONG: Duration = Duration::from_secs(600);

    /// What is told in the end of a process that runs this line of shell.
    async fn ended(line: &str, lasts: Duration) -> Figures {
        let order = Order {
            clients: 7,
            until: Instant::now() + lasts,
            lasts,
        };
        let (_orders, asked) = watch::channel(order);
        let (told, figures) = watch::channel(Figures::default());
        let mut command = Command::new("sh");
        command.args(["-c", line]);
        keep(command, asked, told, CancellationToken::new()).await;
        figures.borrow().clone()
    }

    #[tokio::test]
    async fn a_crowd_ends_when_its_time_is_over_and_says_so() {
        let figures = ended("exec sleep 600", Duration::ZERO).await;
        assert_eq!(
            figures.error.as_deref(),
            Some("ended by itself after 0 s: set it again to go on")
        );
    }

    #[tokio::test]
    async fn a_process_that_ends_leaves_its_sums_and_its_last_words() {
        let line = serde_json::to_string(&Figures {
            clients: 7,
            connected: 7,
            deliveries_per_s: 40.0,
            latency_p50_us: Some(300),
            updates: 120,
            ..Figures::default()
        });
        let line = line.unwrap();
        let figures = ended(&format!("read n; echo '{line}'; echo no more room >&2; exit 3"), LONG).await;
        assert_eq!(
            (figures.updates, figures.connected, figures.latency_p50_us),
            (120, 0, None)
        );
        assert!(figures.deliveries_per_s == 0.0);
        let error = figures.error.unwrap();
        assert!(error.ends_with("exit status: 3; it said: no more room"), "{error}");
    }

    #[tokio::test]
    async fn words_that_are_no_figures_end_it() {
        let error = ended("read n; echo \"$n clients\"; exec sleep 600", LONG)
            .await
            .error
            .unwrap();
        assert!(error.contains("said no figures"), "{error}");
    }

    #[tokio::test]
    async fn who_is_stopping_starts_none() {
        let order = Order {
            clients: 1,
            until: Instant::now() + LONG,
            lasts: LONG,
        };
        let (_orders, asked) = watch::channel(order);
        let (told, figures) = watch::channel(Figures::default());
        let stop = CancellationToken::new();
        stop.cancel();
        keep(Command::new("/no/such/program"), asked, told, stop).await;
        assert!(figures.borrow().error.is_none(), "it was not even tried");
    }
}
