// Long polling: the server holds the question until there is something to say; asked again at once, with the cursor.

import { ask } from "../live/poll.js";

/** The lane: see live/lanes.js. */
export async function follow(lane) {
  while (!lane.signal.aborted) await ask(lane);
}

/** The lesson. */
export const lesson = {};
