// Server-Sent Events: the browser's EventSource, which reconnects by itself and says by Last-Event-ID where it stopped.

import { utf8 } from "../live/figures.js";

/** The lane: see live/lanes.js. */
export function follow(lane) {
  return new Promise((done, fail) => {
    const source = new EventSource(lane.address());
    lane.asked();
    lane.signal.addEventListener("abort", () => {
      source.close();
      done();
    });
    source.onopen = () => lane.opened();
    source.addEventListener("update", ({ data }) => {
      const at_us = lane.clock_us();
      lane.deliver(at_us, [JSON.parse(data)], { bytes: utf8(data), messages: 1 });
    });
    source.addEventListener("reset", () => lane.reset());
    source.onerror = () => {
      // After a refusal, or an answer that is no stream, it gives up for good; else it asks again after `retry`.
      if (source.readyState === EventSource.CLOSED) return fail(new Error("the stream was refused"));
      lane.lost("the stream broke; EventSource connects again");
      lane.asked();
    };
  });
}

/** The lesson. */
export const lesson = {};
