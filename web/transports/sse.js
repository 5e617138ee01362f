// Server-Sent Events: the browser's EventSource, which reconnects by itself and says by Last-Event-ID where it stopped.

import { utf8 } from "../live/figures.js";

/** The lane: see live/worker.js. */
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
export const lesson = {
  steps: ["> GET, Accept: text/event-stream", "< 200, a body without end; retry: 1000", "* update 42", "< event: update, data: …, id: 42", "* update 43", "< event: update, data: …, id: 43", "x the connection breaks", "* update 44", "- the browser waits its 1 s", "> GET, Last-Event-ID: 43", "< 200; data: …, id: 44"],
  use: "scores, prices, notifications, the words of a language model: the server speaks, the client listens.",
  fit: [
    ["stale=now", 2, "An update is written the moment it is there, on a connection that stands."],
    ["stale=second", 2, "An update is written the moment it is there, on a connection that stands."],
    ["sends=no", 2, "One direction is all that is asked for, and plain HTTP carries it."],
    ["sends=some", 1, "What the client sends now and then goes as ordinary requests."],
    ["need=every", 1, "`EventSource` reconnects and says the last id it had, by itself (WHATWG HTML, 9.2)."],
    ["rate=fast", 1, "Framing is a few dozen bytes an update."],
    ["sends=often", -3, "Nothing can be sent back on the stream."],
    ["path=strict", -4, "A buffering proxy holds events back, unless it is told not to, or TLS hides them from it."],
  ],
  limits: ["Over HTTP/1.1 six streams fill the origin for all tabs together; over HTTP/2 they share one connection.", "nginx buffers unless told `X-Accel-Buffering: no`.", "`EventSource` makes a GET without headers of your own: a token goes into a cookie, or `fetch` reads the stream.", "UTF-8 text only; base64 makes binary data a third larger.", "Idle timeouts cut a silent stream: a comment every 15 s or so prevents it."],
};
