// A lane's connections, on a thread of their own: what the page draws delays neither what arrives nor the time it is taken.
//
//   reader.js: {open} · {close} · {took} -> transports/<id>.js: follow(lane) -> lane.deliver(…), lane.opened(), … each noted with its time
//     '-> {attempt, said, late_ms, ended}, one under way at a time and at most one a frame -> reader.js -> lanes.js
//         `ended`: null; the reason in words, with an attempt's last; nothing to say ("") where it was told to close
//
// `export async function follow(lane)` connects once and goes on until `lane.signal` is aborted, when it closes its connection at once and
// may return; where the connection ends otherwise it throws an Error with the reason in words. To connect again is not its matter, unless
// the browser's own object does so (EventSource). It runs here, without a document, and works with
//
//   lane.signal             aborted by a cut, other settings, the end of the view
//   lane.address(scheme)    of the feed with topic, mode and cursor (`since`, where anything is held); scheme "http" or "ws"
//   lane.interval_ms        between two polls, for who polls on a schedule
//   lane.clock_us()         time of this browser, µs; taken first thing when data arrived
//   lane.asked()            a request goes out: one head each way
//   lane.opened()           the connection stands, or the first answer is here
//   lane.lost(words)        the browser connects again by itself
//   lane.skipped(polls)     polls that were due while one was under way
//   lane.reset(cursor)      the server said that what follows is the newest state, not what comes next
//   lane.deliver(at_us, updates, {bytes, messages, cursor})   parsed updates in order; `bytes` as far as a page sees them; `messages` of a
//                           stream, whose framing a page does not see (0 for whole answers); `cursor` where it is not that of the last update

import { local_us } from "./figures.js";

/** Between two batches: a frame. */
const BATCH_MS = 16;
/** What is noted while the page takes nothing, updates and all else: about 8 s of 1,000 updates a second. Beyond that the connection ends,
    and the next resumes. */
const NOTED_MAX = 16_384;

/** {number, end: AbortController, said, noted} of the connection there is. */
let attempt = null;
/** Whether a batch is under way; when one is to go, on this browser's clock, or null. */
let [posted, due_us] = [false, null];

onmessage = ({ data: { open, close, took } }) => {
  if (took) {
    posted = false;
    if (attempt?.said.length) later();
  }
  if (attempt && !attempt.end.signal.aborted && (open || close === attempt.number)) {
    attempt.end.abort();
    // What has arrived in time has arrived.
    if (close) post(attempt, "");
  }
  if (open) run(open);
};

async function run({ attempt: number, id, ...given }) {
  const mine = (attempt = { number, end: new AbortController(), said: [], noted: 0 });
  // A browser may remember for good what it could not load: then this thread is of no use, and says so to the page.
  const module = await import(`../transports/${id}.js`).catch(reportError);
  if (!module || mine.end.signal.aborted) return;
  let words = "the connection ended";
  try {
    await module.follow(handed(mine, id, given));
  } catch (error) {
    words = error.message;
  }
  // Who was told to end has had its last word.
  if (mine.end.signal.aborted && !mine.full) return;
  mine.end.abort();
  post(mine, mine.full ?? words);
}

function handed(mine, id, { host, topic, mode, cursor, interval_ms }) {
  const { signal } = mine.end;
  const note = (name, given, updates = 0) => {
    if (signal.aborted) return;
    mine.said.push([name, local_us(), ...given]);
    later();
    mine.noted += 1 + updates;
    if (mine.noted < NOTED_MAX) return;
    mine.full = "this page was too busy to take what came";
    mine.end.abort();
  };
  const noted = (name) => (...given) => note(name, given);
  return {
    signal,
    interval_ms,
    clock_us: local_us,
    address: (scheme = "http") => `${scheme}://${host}/feed/${id}?${new URLSearchParams({ topic, mode, ...(cursor && { since: cursor }) })}`,
    asked: noted("asked"),
    skipped: noted("skipped"),
    opened: noted("opened"),
    lost: noted("lost"),
    reset: (now) => {
      cursor = now ?? cursor;
      note("reset", [now]);
    },
    deliver: (at_us, updates, more = {}) => {
      const last = updates.at(-1);
      cursor = more.cursor ?? (last ? `${last.epoch}-${last.offset}` : cursor);
      // What only fills an update up need not be copied to the page.
      for (const update of updates) update.pad = undefined;
      note("deliver", [at_us, updates, { ...more, cursor }], updates.length);
    },
  };
}

/** Sends what was noted, a frame from now: together, and not while it still arrives at the other lanes. */
function later() {
  if (posted || due_us !== null) return;
  due_us = local_us() + BATCH_MS * 1_000;
  setTimeout(() => {
    const late_ms = (local_us() - due_us) / 1_000;
    due_us = null;
    if (!posted && attempt.said.length) post(attempt, null, late_ms);
  }, BATCH_MS);
}

function post(mine, ended = null, late_ms = 0) {
  postMessage({ attempt: mine.number, said: mine.said, late_ms, ended });
  [mine.said, mine.noted, posted] = [[], 0, true];
}
