//! Recordings read and written without a server. Over real processes: the bench client's tests of its command line.

use std::{
    io::{self, Cursor, Write},
    path::Path,
    sync::{Arc, Mutex, mpsc},
};

use super::*;
use crate::feed::{Arrivals, Event, Feed, Simulated};

/// What every test here begins with.
const HEADER: &str = concat!(
    r#"{"recording":"live score feed","version":1,"update_bytes":256,"topics":[{"topic":"match-1","home":"A","away":"B"},"#,
    r#"{"topic":"match-2","home":"Ö \"1\"","away":"D"}]}"#,
    "\n"
);
const FIRST: &str = "{\"at_us\":5,\"topic\":\"match-2\",\"home_score\":0,\"away_score\":0,\"minute\":0,\"event\":\"kick_off\",\"player\":\"\"}\n";
const SECOND: &str = "{\"at_us\":5,\"topic\":\"match-1\",\"home_score\":1,\"away_score\":0,\"minute\":120,\"event\":\"shootout_result\",\"player\":\"4-2\"}\n";

fn read_text(text: &str) -> Result<Recorded, String> {
    read(Cursor::new(text), 1.0).map_err(|error| error.to_string())
}

fn simulated() -> Feed {
    let of = Simulated {
        topics: 3,
        rate_hz: 7.0,
        arrivals: Arrivals::Burst { size: 4 },
        seed: 9,
    };
    of.feed().expect("a good feed")
}

/// A file that takes so many bytes, and tells when it was flushed last.
#[derive(Clone)]
struct Disk {
    file: Arc<Mutex<Vec<u8>>>,
    room: usize,
    flushed: mpsc::SyncSender<()>,
}

impl Disk {
    fn with(room: usize) -> (Self, mpsc::Receiver<()>) {
        let (flushed, flushes) = mpsc::sync_channel(1_000);
        let file = Arc::default();
        (Self { file, room, flushed }, flushes)
    }

    fn text(&self) -> String {
        String::from_utf8(self.file.lock().unwrap().clone()).expect("JSON is UTF-8")
    }
}

impl Write for Disk {
    fn write(&mut self, bytes: &[u8]) -> io::Result<usize> {
        let mut file = self.file.lock().unwrap();
        let n = bytes.len().min(self.room - file.len());
        file.extend_from_slice(&bytes[..n]);
        match n {
            0 => Err(io::ErrorKind::StorageFull.into()),
            n => Ok(n),
        }
    }

    fn flush(&mut self) -> io::Result<()> {
        let _ = self.flushed.try_send(());
        Ok(())
    }
}

#[test]
fn what_is_written_is_read_again_to_the_microsecond() {
    let (feed, (disk, _flushes)) = (simulated(), Disk::with(1 << 20));
    let events: Vec<Event> = feed.events.take(100).collect();
    let counts = Counts::default();
    let (recorder, mut tap) = Recorder::start(
        disk.clone(),
        Path::new("disk"),
        &feed.matches,
        Some(300),
        counts.clone(),
    )
    .expect("it starts");
    events.iter().for_each(|event| tap.note(event));
    drop(tap);
    recorder.finish();
    assert_eq!((counts.recorded.get(), counts.unrecorded.get()), (100, 0));

    let read = read_text(&disk.text()).expect("a good recording");
    assert_eq!(read.update_bytes, Some(300));
    assert_eq!(read.feed.matches, feed.matches);
    assert_eq!(read.feed.source.remarks, Vec::<String>::new());
    let in_us = |mut event: Event| {
        event.due = std::time::Duration::from_micros(event.due.as_micros() as u64);
        event
    };
    let again: Vec<Event> = read.feed.events.collect();
    assert_eq!(again, events.into_iter().map(in_us).collect::<Vec<_>>());
}

#[test]
fn the_file_is_written_while_the_feed_goes_on() {
    let (feed, (disk, flushes)) = (simulated(), Disk::with(1 << 20));
    let (recorder, mut tap) =
        Recorder::start(disk.clone(), Path::new("disk"), &feed.matches, None, Counts::default()).expect("it starts");
    feed.events.take(3).for_each(|event| tap.note(&event));
    flushes.recv().expect("flushed without being asked");
    assert_eq!(read_text(&disk.text()).expect("whole lines").feed.events.count(), 3);
    drop(tap);
    recorder.finish();
}

#[test]
fn a_full_disk_ends_the_recording_and_not_the_feed() {
    let feed = simulated();
    let (disk, _flushes) = Disk::with(2_000);
    let counts = Counts::default();
    let (recorder, mut tap) =
        Recorder::start(disk.clone(), Path::new("disk"), &feed.matches, None, counts.clone()).expect("it starts");
    feed.events.take(5_000).for_each(|event| tap.note(&event));
    drop(tap);
    recorder.finish();
    assert_eq!(counts.recorded.get() + counts.unrecorded.get(), 5_000, "{counts:?}");
    assert!(counts.unrecorded.get() > 0);
    // What is there is the beginning of the feed, its last line torn.
    let read = read_text(&disk.text()).expect("good up to there");
    assert!(
        read.feed.source.remarks[0].contains("cut off in the middle"),
        "{:?}",
        read.feed.source
    );
    let expected: Vec<_> = simulated()
        .events
        .take(read.feed.extent.expect("it ends").events)
        .map(|e| e.player)
        .collect();
    assert_eq!(read.feed.events.map(|event| event.player).collect::<Vec<_>>(), expected);
}

#[test]
fn an_existing_file_is_never_written_over() {
    let dir = tempfile::tempdir().expect("a directory to write to");
    let path = dir.path().join("mine");
    std::fs::write(&path, "precious").expect("a file to write to");
    let create = |path: &Path| {
        Recorder::create(path, &[], None, Counts::default())
            .err()
            .map(|error| error.to_string())
    };
    let refused = create(&path).unwrap_or_default();
    assert!(
        refused.contains("mine exists already") && refused.contains("--record"),
        "{refused}"
    );
    assert_eq!(std::fs::read_to_string(&path).expect("it is there"), "precious");
    let nowhere = create(&dir.path().join("none/file")).unwrap_or_default();
    assert!(
        nowhere.contains("No such file") && nowhere.contains("a folder that exists"),
        "{nowhere}"
    );
}

#[test]
fn speed_scales_and_order_stays() {
    let text = format!("{HEADER}{FIRST}{SECOND}");
    let recorded = read(Cursor::new(&text), 0.5)
        .map_err(|error| error.to_string())
        .expect("a good recording");
    let mut feed = recorded.feed;
    assert_eq!(feed.matches[1].home, "Ö \"1\"");
    assert_eq!(feed.source.results[0].shootout, Some([4, 2]));
    assert!(feed.source.results[0].extra_time && !feed.source.results[1].extra_time);
    // Due together, and still in the order in which they were published.
    let topics: Vec<_> = feed
        .events
        .by_ref()
        .map(|event| (event.due.as_micros(), event.topic))
        .collect();
    assert_eq!(topics, [(10, 1), (10, 0)]);
}

#[test]
fn a_torn_end_is_played_up_to_there_and_said() {
    let whole = format!("{HEADER}{FIRST}{SECOND}");
    let second_from = HEADER.len() + FIRST.len();
    // Wherever in its last line the file was cut.
    for cut in second_from + 1..whole.len() - 1 {
        let read = read_text(&whole[..cut]).unwrap_or_else(|error| panic!("cut at {cut}: {error}"));
        assert_eq!(read.feed.extent.map(|extent| extent.events), Some(1), "cut at {cut}");
        let said = "line 3: the recording is cut off in the middle of this line, and played up to there: 1 updates";
        assert_eq!(read.feed.source.remarks, [said], "cut at {cut}");
    }
    // Without the line's end alone nothing is lost.
    let read = read_text(&whole[..whole.len() - 1]).expect("whole");
    assert_eq!((read.feed.events.count(), read.feed.source.remarks.len()), (2, 0));
    // Cut in the first line, there is nothing to play.
    for cut in [14, HEADER.len() - 2] {
        let error = read_text(&whole[..cut]).err().unwrap_or_default();
        assert!(
            error.starts_with("line 1: expected {\"recording\""),
            "cut at {cut}: {error}"
        );
    }
}

#[test]
fn a_broken_line_is_named_with_what_was_expected() {
    let with = |second: &str| format!("{HEADER}{FIRST}{second}\n{SECOND}");
    let line = |from: &str, to: &str| with(SECOND.trim_end().replace(from, to).as_str());
    let header = |from: &str, to: &str| format!("{}{FIRST}", HEADER.replace(from, to));
    let long = format!("{HEADER}{}", " ".repeat(MAX_LINE_BYTES as usize + 1));
    for (text, words) in [
        (with(""), "line 3: expected an update, {\"at_us\":…"),
        (with("{\"at_us\":7,\"topic\""), "line 3: expected an update"),
        (with("[]"), "line 3: expected an update"),
        (
            line(":5,", ":4,"),
            "line 3: expected at_us of at least 5, as in the line before; found 4",
        ),
        (line(":5,", ":-5,"), "line 3: expected an update"),
        (
            line(":5,", ":2592000000001,"),
            "line 3: expected at_us of at most 2592000000000, which is thirty days; found 2592000000001",
        ),
        (
            line("match-1", "match-3"),
            "line 3: expected a topic of the first line; found \"match-3\"",
        ),
        (
            line("shootout_result", "party"),
            "expected an event out of kick_off, clock",
        ),
        (
            line(":120,", ":1000,"),
            "line 3: expected a minute up to 999; found 1000",
        ),
        (line(":120,", ":70000,"), "line 3: expected an update"),
        (line("\"4-2\"", "null"), "line 3: expected an update"),
        (
            line("4-2", &"x".repeat(81)),
            "line 3: expected a player with names of 1 to 80 bytes; found",
        ),
        (line("\"player\"", "\"players\""), "unknown field `players`"),
        (
            line("\"player\"", "\"minute\":3,\"player\""),
            "duplicate field `minute`",
        ),
        (
            HEADER.to_owned(),
            "line 1: expected at least one whole update; found none",
        ),
        (
            header("live score", "dead score"),
            "found \"dead score feed\" of version 1",
        ),
        (
            header("\"version\":1", "\"version\":2"),
            "expected a recording called \"live score feed\" of version 1",
        ),
        (
            header("match-2", "match-1"),
            "line 1: expected each topic once; found \"match-1\" twice",
        ),
        (header("match-2", "all"), "none called \"all\"; found \"all\""),
        (header("match-2", "a b"), "found \"a b\""),
        (
            header("\"D\"", "\"\""),
            "line 1: expected teams with names of 1 to 80 bytes; found \"\" (0 bytes)",
        ),
        (header("\"topics\"", "\"topic\""), "line 1: expected {\"recording\""),
        (
            long,
            "line 2: expected a line of at most 4194304 bytes; found a longer one",
        ),
    ] {
        let error = read_text(&text).err().unwrap_or_default();
        assert!(error.contains(words), "{words:?} is missing: {error}");
    }
    assert!(matches!(
        read(Cursor::new(b"{\"recording\":\"\xff"), 1.0),
        Err(ReadError::Line(_))
    ));
}

#[test]
fn a_recording_is_known_by_its_first_word() {
    for yes in ["{\"recording\"", " { \"recording\" :", "\u{feff}{\"recording\":1}"] {
        assert!(begins(yes.as_bytes()), "{yes}");
    }
    for no in [
        "",
        "{",
        "{\"matches\":[]}",
        "recording",
        "[{\"recording\"",
        "{\"recordings\"",
    ] {
        assert!(!begins(no.as_bytes()), "{no}");
    }
}
