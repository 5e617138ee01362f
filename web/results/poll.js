// What may still change is asked for again and again: every two seconds, while somebody looks.
//
//   GET (304 where nothing changed: the browser answers from its cache) -> tell(answer) | fail(error)

import { get } from "../lib/api.js";

const EVERY_MS = 2_000;
/** Between two messages to a screen reader. */
const SPOKEN_MS = 5_000;

/** Until `signal` is aborted, or `tell` says false: nothing more will change. `early`: the first answer, on its way already. */
export async function poll({ address, early, signal }, tell, fail) {
  while (!signal.aborted) {
    if (!document.hidden) {
      const answer = await (early ?? get(address, { signal }).catch((error) => error));
      early = null;
      if (signal.aborted) return;
      if (answer instanceof Error) fail(answer);
      else if (tell(answer) === false) return;
    }
    await pause(signal);
  }
}

function pause(signal) {
  return new Promise((resolve) => {
    const end = new AbortController();
    const done = () => (clearTimeout(timer), end.abort(), resolve());
    const timer = setTimeout(done, EVERY_MS);
    document.addEventListener("visibilitychange", () => document.hidden || done(), { signal: end.signal });
    signal.addEventListener("abort", done, { signal: end.signal });
  });
}

/** Says words in `place`, a live region; of those that come too soon after others, the last. */
export function speaker(place) {
  let [last, next, timer] = [-SPOKEN_MS, "", null];
  const say = () => ([last, timer] = [performance.now(), null], (place.textContent = next));
  return (words) => {
    next = words;
    timer ??= setTimeout(say, Math.max(0, last + SPOKEN_MS - performance.now()));
  };
}
