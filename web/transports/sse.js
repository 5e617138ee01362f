// Stub.

/** The lane. */
export function follow() {}

/** The lesson. */
export const lesson = {
  steps: [
    "> GET, Accept: text/event-stream",
    "< 200, a body without end; retry: 1000",
    "* update 42",
    "< event: update, data: …, id: 42",
    "* update 43",
    "< event: update, data: …, id: 43",
    "x the connection breaks",
    "* update 44",
    "- the browser waits its 1 s",
    "> GET, Last-Event-ID: 43",
    "< 200; data: …, id: 44",
  ],
  use: ["The server speaks, the client listens: scores, prices, notifications, tokens of a language model.", "Reconnect and resume without code in the page: `EventSource` does both (WHATWG HTML, 9.2)."],
  not: ["The client sends many messages too.", "Binary data: the stream is UTF-8 text, and base64 adds a third."],
  limits: ["Over HTTP/1.1 six streams fill the origin for all tabs together; over HTTP/2 they share one connection.", "A proxy that buffers holds events back: nginx does unless told `X-Accel-Buffering: no`.", "`EventSource` makes a GET without headers of your own; a token goes into a cookie, or `fetch` reads the stream.", "A silent stream is cut by idle timeouts: a comment line every 15 s or so prevents it."],
  fit: ({ stale, rate, sends, path, need }) => [
    stale !== "lax" && [2, "An update is written the moment it is there, on a connection that stands."],
    sends === "no" ? [2, "One direction is all that is asked for, and plain HTTP carries it."] : sends === "some" ? [1, "What the client sends now and then goes as ordinary requests."] : [-3, "Nothing can be sent back on the stream."],
    need === "every" && [1, "The browser reconnects and says the last id it had, by itself."],
    rate === "fast" && [1, "Framing is a few dozen bytes an update."],
    path === "strict" && [-4, "A buffering proxy holds events back, unless it is told not to, or TLS hides them from it."],
  ],
};
