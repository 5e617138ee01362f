// Stub.

/** The lane. */
export function follow() {}

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
