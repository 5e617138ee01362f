// Short polling: a request at every due time of a fixed grid, whatever the last answer took; one under way at a time.

import { ask } from "../live/poll.js";

/** The lane: see live/lanes.js. */
export async function follow(lane) {
  const every_us = lane.interval_ms * 1_000;
  await ask(lane);
  let next = Math.floor(lane.clock_us() / every_us) + 1;
  while (!lane.signal.aborted) {
    await until(next * every_us, lane);
    await ask(lane);
    // A poll that fell due meanwhile is left out, not made up for.
    const after = Math.max(Math.floor(lane.clock_us() / every_us), next) + 1;
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
export const lesson = {};
