// Short polling: a request at every due time of a fixed grid, whatever the last answer took; one under way at a time. Where the grid lies
// is by chance: on the feed's own ticks every poll would come just after an update.

import { ask } from "../live/poll.js";

/** It asks every `interval_ms`, whatever the server has. */
export const scheduled = true;

/** The lane: see live/worker.js. */
export async function follow(lane) {
  const every_us = lane.interval_ms * 1_000;
  const phase_us = Math.random() * every_us;
  const turn = () => Math.floor((lane.clock_us() - phase_us) / every_us);
  await ask(lane);
  let next = turn() + 1;
  while (!lane.signal.aborted) {
    await until(next * every_us + phase_us, lane);
    await ask(lane);
    // A poll that fell due meanwhile is left out, not made up for.
    const after = Math.max(turn(), next) + 1;
    lane.skipped(after - next - 1);
    next = after;
  }
}

function until(due_us, lane) {
  return new Promise((done) => {
    const timer = setTimeout(end, Math.max(0, (due_us - lane.clock_us()) / 1_000));
    lane.signal.addEventListener("abort", end);
    function end() {
      clearTimeout(timer);
      lane.signal.removeEventListener("abort", end);
      done();
    }
  });
}

/** The lesson. */
export const lesson = {
  steps: ["> GET ?since=41", "< 200: nothing new, cursor 41", "- the client's timer runs", "* update 42", "- 42 waits for the next poll", "> GET ?since=41", "< 200: update 42, cursor 42"],
  use: "dashboards, a build's state, a queue's length: what may be seconds old.",
  fit: [
    ["stale=lax", 4, "Seconds of age are allowed, so a request now and then will do."],
    ["stale=second", -1, "To be fresh within a second, most polls must come back empty."],
    ["stale=now", -4, "An update waits half an interval on average, and the empty polls cost their headers."],
    ["path=strict", 2, "Short plain requests pass every proxy."],
    ["need=latest", 1, "An answer carries what counts now; what was in between costs nothing."],
    ["clients=many stale=lax", 1, "A cache or a CDN can give one answer to many clients."],
    ["clients=many stale=now", -2, "Load grows with the clients that ask, not with the updates there are."],
    ["sends=often", -2, "The client's own messages are requests of their own."],
  ],
  limits: ["A hidden tab's timers run once a second, in Chromium after five minutes once a minute: polls come late.", "Without a cursor, or `If-None-Match` and 304, each poll carries the whole state.", "Clients that start together ask together: spread them over the interval."],
};
