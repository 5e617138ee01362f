// Stub.

/** The lane. */
export function follow() {}

/** The lesson. */
export const lesson = {
  steps: [
    "> GET ?since=41",
    "< 200: nothing new, cursor 41",
    "- the client's timer runs",
    "* update 42",
    "- 42 waits for the next poll",
    "> GET ?since=41",
    "< 200: update 42, cursor 42",
    "- the timer runs again",
  ],
  use: ["A figure that may be seconds old: a dashboard, a build's state, a queue's length.", "Many readers of one answer: a cache or a CDN can give it to all of them.", "Where nothing but plain requests gets through, or the server keeps no state."],
  not: ["An update must be seen within a second: the interval would have to be shorter still.", "Updates are rare and clients many: nearly every answer says “nothing”, and costs its headers."],
  limits: ["A hidden tab's timers run once a second, in Chromium after five minutes once a minute: polls come late.", "Without `If-None-Match` and 304, or a cursor, each poll carries the whole state again.", "Clients that start together ask together: spread them over the interval."],
  fit: ({ stale, sends, path, clients, need }) => [
    stale === "lax" ? [4, "Seconds of age are allowed, so a request now and then will do."] : stale === "second" ? [0] : [-4, "An update waits half an interval on average: to be fresh, most polls must be empty."],
    path === "strict" && [2, "Short plain requests pass every proxy."],
    clients === "many" && (stale === "lax" ? [1, "A cache can answer many clients at once."] : [-2, "Load grows with the clients that ask, not with the updates there are."]),
    need === "latest" && [1, "An answer carries what counts now; what was in between costs nothing."],
    sends === "often" && [-2, "The client's own messages are requests of their own."],
  ],
};
