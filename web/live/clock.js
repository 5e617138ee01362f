// The server's clock, as far as this browser can know it.
//
//   /api/clock (several times, then now and then) -> the exchange with the shortest round trip -> now_us(), bound_us
//
// The server read its clock somewhere within the round trip, so the estimate is off by half of it at most. The browser's own times are of
// a clock that never steps (performance.timeOrigin + performance.now()), and come in steps: `step_us`.

import { get } from "../lib/api.js";
import { local_us } from "./figures.js";

const AT_FIRST = 8;
const EVERY_MS = 5_000;
const SAMPLES_MAX = 12;
/** How fast two clocks may part, in µs a second, where one is being set right: an old exchange says less. */
const DRIFT = 500;

export class Clock {
  offset_us = 0;
  /** Half of the shortest round trip; null until the first answer. */
  bound_us = null;
  step_us = step();
  #samples = [];
  /** Told when the clocks have moved against each other, as where the machine slept: times from before do not compare. */
  stepped = () => {};

  now_us() {
    return local_us() + this.offset_us;
  }

  /** Ends after the first estimate, or the first failure; goes on by itself until `signal`. */
  async start(signal) {
    for (let asked = 0; asked < AT_FIRST && (await this.#ask(signal)); asked++);
    const timer = setInterval(() => this.#ask(signal), EVERY_MS);
    signal.addEventListener("abort", () => clearInterval(timer));
  }

  /** Another start of the server has another clock. */
  async again(signal) {
    this.#samples = [];
    await this.#ask(signal);
  }

  async #ask(signal) {
    // The browser's record of a request is nearer to the wire than our own two readings around it; its list is kept short for that.
    performance.clearResourceTimings();
    const from = performance.now();
    try {
      const { now_us } = await get("/api/clock", { signal });
      const to = performance.now();
      const seen = performance.getEntriesByType("resource").find((entry) => entry.name.endsWith("/api/clock") && entry.requestStart >= from);
      const [sent, back] = seen?.responseStart > 0 ? [seen.requestStart, seen.responseStart] : [from, to];
      const middle = (performance.timeOrigin + (sent + back) / 2) * 1_000;
      this.#samples.push({ offset: now_us - middle, half: ((back - sent) / 2) * 1_000 + this.step_us, at: to });
      if (this.#samples.length > SAMPLES_MAX) this.#samples.shift();
      const bound = ({ half, at }) => half + ((to - at) / 1_000) * DRIFT;
      const newest = this.#samples.at(-1);
      const agreeing = this.#samples.filter((one) => Math.abs(one.offset - newest.offset) <= bound(one) + bound(newest));
      const stepped = agreeing.length < this.#samples.length;
      this.#samples = agreeing;
      const best = this.#samples.reduce((a, b) => (bound(b) < bound(a) ? b : a));
      [this.offset_us, this.bound_us] = [best.offset, bound(best)];
      if (stepped) this.stepped();
      return true;
    } catch {
      return false; // The next one comes.
    }
  }
}

/** The smallest step the browser's clock is seen to make, in µs: a few ms of looking at most. */
function step() {
  let [smallest, last] = [1, performance.now()];
  for (let steps = 0, end = last + 4; steps < 20 && last < end; ) {
    const now = performance.now();
    if (now === last) continue;
    smallest = Math.min(smallest, now - last);
    [last, steps] = [now, steps + 1];
  }
  return Math.round(smallest * 1_000);
}
