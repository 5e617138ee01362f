// A lane: one technique's real connection from this browser to the server, and the account of what it brings.
//
//   worker.js: transports/<id>.js -> reader.js -> #heard -> ledger.js -> picture.js, panel.js
//        ^ ended, refused, cut: after a pause again, with the cursor

import { Ring } from "./figures.js";
import { Ledger } from "./ledger.js";
import { Reader } from "./reader.js";

/** How long a cut lasts. */
const CUT_MS = 2_000;
const RETRY_MS = { first: 500, most: 5_000 };
/** How long an attempt may take until it stands: longer than an answer may be held (25 s by default). */
const OPEN_MS = 40_000;
/** A port that fails so often in a row while the server answers at the page's own is not reachable from here. */
const FAILURES_MAX = 3;
/** A lane that lacks what another has for so long, on top of what its polls and its path explain, is stalled. */
const STALLED_US = 1_500_000;
/** Changes of the state that the picture remembers. */
const STATES_MAX = 256;
/** Where the server has no ports besides its own. */
const DIRECT = { delay_ms: 0, stall_ms: 0, lanes: {} };

export class Lane {
  /** connecting · live · cut · resuming · gone; `stalled` is told by `shown` */
  state = "connecting";
  words = "";
  cursor = null;
  /** When the connection stood, on the server's clock. */
  live_us = 0;
  /** When the state changed, on the server's clock, and whether it was `live` from then on. */
  states = new Ring(STATES_MAX, "ats", "lives");
  path_id = null;
  fallback = false;
  #failures = 0;
  #from_nothing = true;
  #attempt = null;
  #next_ms = 0;

  /** `race`: {clock, known, settings, server, late}; whether there is a client for it, and whether that polls on a schedule: of the technique's module. */
  constructor(description, place, race, { follow, scheduled = false }) {
    Object.assign(this, { description, id: description.id, place, race, client: Boolean(follow), scheduled });
    this.reader = new Reader((ms) => race.late(ms));
    this.ledger = new Ledger(race.known);
    this.ledger.clear(race.clock.now_us());
    this.#set("connecting", "");
  }

  get path() {
    const paths = this.race.server.page.paths;
    return paths.find(({ id }) => id === (this.path_id ?? this.race.settings.path)) ?? paths[0] ?? DIRECT;
  }

  /** The lane's own port; null where it shares that of the page. */
  get port() {
    const port = this.path.lanes[this.id];
    return !this.fallback && this.race.server.allowed.has(port) ? port : null;
  }

  /** Closes the connection now; it resumes after a moment. */
  cut() {
    this.#set("cut", "");
    this.#end(CUT_MS);
  }

  /** Closes the connection and opens it with the settings as they are. `anew`: holds nothing any more. */
  reopen({ anew = false } = {}) {
    if (anew) {
      this.cursor = null;
      this.ledger = new Ledger(this.race.known);
      this.ledger.clear(this.race.clock.now_us());
    }
    [this.fallback, this.#failures] = [false, 0];
    this.#end(0);
  }

  /** The state for people: live and stalled apart. Where the server answers nobody no lane can be behind another. */
  shown(stale_us) {
    const path = this.path;
    const waits_us = ((this.description.delivery === "poll" ? this.race.settings.interval : 0) + 2 * path.delay_ms) * 1_000;
    const stalled = this.race.server.state === "gone" || stale_us > STALLED_US + waits_us;
    return this.state === "live" && stalled ? "stalled" : this.state;
  }

  /** Whether each poll meets the updates at the same point of their interval as the one before: one interval is a whole number of the other. */
  get in_step() {
    const { server, settings } = this.race;
    const { rate_hz, arrivals, topics } = server.stats.feed;
    if (!this.scheduled || !rate_hz || arrivals !== "regular" || (settings.topic === "all" && topics > 1)) return false;
    const a_poll = (settings.interval / 1_000) * rate_hz;
    const whole = (value) => Math.abs(value - Math.round(value)) < 1e-9;
    // More updates a poll than two wait for as many different times, so that their quantiles tell something.
    return a_poll >= 1 ? a_poll <= 2 && whole(a_poll) : whole(1 / a_poll);
  }

  #end(wait_ms) {
    this.#next_ms = wait_ms;
    this.#attempt?.abort();
  }

  #set(state, words, at_us = this.race.clock.now_us()) {
    [this.state, this.words] = [state, words];
    this.states.push(at_us, state === "live");
  }

  /** Connects, again and again, until `signal`. */
  async start(signal) {
    if (signal.aborted) return this.reader.end();
    signal.addEventListener("abort", () => (this.#end(0), this.reader.end()));
    while (!signal.aborted) {
      const attempt = (this.#attempt = new AbortController());
      this.#next_ms = null;
      if (this.state !== "gone") this.#set(this.cursor ? "resuming" : "connecting", "");
      this.#from_nothing = this.cursor === null;
      let why = "the connection ended";
      const timer = setTimeout(() => {
        if (this.state === "live") return;
        why = `no answer in ${OPEN_MS / 1_000} s`;
        attempt.abort();
      }, OPEN_MS);
      try {
        if (!this.client) throw new Error("this page has no client for it");
        await this.reader.follow(this.#asked(), attempt.signal, this.#heard(attempt.signal));
      } catch (error) {
        why = error.message;
      }
      clearTimeout(timer);
      attempt.abort();
      if (signal.aborted) return;
      if (this.#next_ms === null) {
        this.#fail(why);
        const wait_ms = Math.min(RETRY_MS.first * 2 ** (this.#failures - 1), RETRY_MS.most);
        this.#next_ms = wait_ms * (0.5 + Math.random() / 2);
      }
      // A cut during a pause begins another.
      while (this.#next_ms > 0 && !signal.aborted) {
        const wait_ms = this.#next_ms;
        this.#next_ms = 0;
        await this.#pause(wait_ms, signal);
      }
    }
  }

  /** Waits, unless something is to happen at once. */
  #pause(wait_ms, signal) {
    const pause = (this.#attempt = new AbortController());
    return new Promise((done) => {
      const timer = setTimeout(done, wait_ms);
      pause.signal.addEventListener("abort", () => (clearTimeout(timer), done()));
      if (signal.aborted) pause.abort();
    });
  }

  #fail(words) {
    this.#set("gone", words);
    if (++this.#failures % FAILURES_MAX === 0 && this.port !== null) this.#fall_back();
  }

  /** Asks whether the server answers at the page's own port; then that one does for this lane too. */
  async #fall_back() {
    const { server } = this.race;
    await server.look();
    if (server.state !== "up" || this.state !== "gone" || this.#failures < FAILURES_MAX) return;
    this.fallback = true;
    // An EventSource would ask the port it was given for ever.
    this.#end(0);
  }

  /** What the thread needs to know of a connection. */
  #asked() {
    const { topic, mode, interval } = this.race.settings;
    const host = this.port === null ? location.host : `${location.hostname}:${this.port}`;
    return { id: this.id, host, topic, mode, cursor: this.cursor, interval_ms: interval };
  }

  /** What the thread tells, in its order; its times are of this browser's clock. What it still tells of an attempt that was aborted counts,
      and changes no state. */
  #heard(signal) {
    const { ledger, race } = this;
    const hold = (cursor) => {
      // Who begins anew holds nothing.
      if (cursor && ledger === this.ledger) this.cursor = cursor;
    };
    const heard = {
      asked: () => ledger.requests++,
      skipped: (at_us, polls) => (ledger.skipped += polls),
      opened: (at_us) => {
        if (this.state === "live" || signal.aborted) return;
        // What was due before now is state or catch-up: the time to connect is no latency of an update.
        this.live_us = at_us;
        this.#failures = 0;
        this.#set("live", "", at_us);
      },
      lost: (at_us, words) => signal.aborted || this.#fail(words),
      reset: (at_us, cursor) => {
        ledger.reset();
        hold(cursor);
      },
      deliver: (noted_us, at_us, updates, { bytes = 0, messages = 0, cursor }) => {
        ledger.seen_bytes += bytes;
        ledger.messages += messages;
        const here_us = at_us + race.clock.offset_us;
        ledger.take(here_us, updates, { live_us: this.live_us, from_nothing: this.#from_nothing, latest: race.settings.mode === "latest" });
        hold(cursor);
      },
    };
    return (name, at_us, ...given) => heard[name](at_us + race.clock.offset_us, ...given);
  }
}
