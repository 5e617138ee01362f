// Long polling: the server holds the question until there is something to say; asked again at once, with the cursor.

import { ask } from "../live/poll.js";

/** The lane: see live/worker.js. */
export async function follow(lane) {
  // Answered at once: a held answer would tell only with the next update that the connection stands.
  await ask(lane, "&wait_ms=0");
  while (!lane.signal.aborted) await ask(lane);
}

/** The lesson. */
export const lesson = {
  steps: ["> GET ?since=41&wait_ms=25000", "= held: nothing new yet", "* update 42", "< 200: update 42, cursor 42", "> GET ?since=42&wait_ms=25000", "= held again", "- 25 s without an update", "< 200: nothing new, cursor 42", "> GET ?since=42&wait_ms=25000"],
  use: "rare but urgent updates where streams do not get through; the fallback of a push transport.",
  fit: [
    ["stale=now", 1, "An update leaves the moment it is there."],
    ["stale=second", 1, "An update leaves the moment it is there."],
    ["path=strict", 2, "Each answer ends, so a proxy that buffers holds nothing back."],
    ["rate=rare", 1, "Few updates make few requests."],
    ["rate=fast", -3, "Each update, or batch, takes a request and an answer with all their headers (RFC 6202, 2.2)."],
    ["clients=many", -1, "After one update all clients ask again at once."],
    ["sends=often", -2, "The client's own messages are requests of their own."],
  ],
  limits: ["The held request occupies one of about six HTTP/1.1 connections to the origin.", "A proxy gives up on a silent request, often after 60 s: answer empty before that.", "An answer may be lost on its way: only a cursor tells the server what the client holds."],
};
