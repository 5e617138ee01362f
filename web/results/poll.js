// What may still change is asked for again and again: every two seconds, while somebody looks.
//
//   GET (304 where nothing changed: the browser answers from its cache) -> tell(answer) | fail(error)

import { get } from "../lib/api.js";

const EVERY_MS = 2_000;
/** Between two messages to a screen reader. */
const SPOKEN_MS = 5_000;

/** Until `signal` is aborted, or `tell` says false: nothing more will change. */
export async function poll(address, signal, tell, fail) {
  while (!signal.aborted) {
    if (!document.hidden) {
      const answer = await get(address, { signal }).catch((error) => error);
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

/** Says `words` in `place`, a live region, where the last message is long enough ago; a later one says more anyway. */
export function speaker(place) {
  let last = -SPOKEN_MS;
  return (words) => {
    if (performance.now() - last < SPOKEN_MS) return;
    last = performance.now();
    place.textContent = words;
  };
}
