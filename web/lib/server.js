// What is known of the server: whether it answers, which feed it has, and what it offers. One poll every two seconds for the whole page.
//
//   /api/page, /api/transports (once a start of the server) + /api/stats (every 2 s) -> server.{state,page,transports,stats,epoch}
//
// "change" is told whenever something of it changed; "restart" when another epoch answers, so that views open what they hold anew.

import { get } from "./api.js";

const EVERY_MS = 2_000;
/** A server that says nothing for so long does not answer. */
const ANSWER_MS = 5_000;
const asked = (address) => get(address, { signal: AbortSignal.timeout(ANSWER_MS) });

class Server extends EventTarget {
  /** connecting · up · gone */
  state = "connecting";
  /** What went wrong at the last look, or nothing. */
  words = "";
  /** /api/page: {token, paths: [{id, label, delay_ms, stall_ms, lanes: {transport: port}}], offers: ["results", "wire", "demo"]} */
  page = null;
  /** /api/transports */
  transports = [];
  /** /api/stats, at most two seconds old while `state` is up. */
  stats = null;
  epoch = null;
  /** Ports that the policy of this document lets it connect to: those of the start it was loaded from. */
  allowed = null;
  #ready = Promise.withResolvers();

  start() {
    this.#look();
  }

  /** Ends when page, transports and stats are there for the first time. */
  get ready() {
    return this.#ready.promise;
  }

  offers(what) {
    return this.page?.offers.includes(what) ?? false;
  }

  /** One sentence for the header. */
  get sentence() {
    if (this.state === "connecting") return "connecting …";
    if (this.state === "gone") return `${this.words}; trying again …`;
    const { feed, topics } = this.stats;
    const matches = topics.length === 1 ? "one match" : `${topics.length.toLocaleString("en")} matches`;
    const rate = feed.rate_hz === null ? feed.kind : feed.rate_hz === 0 ? "silent" : `${feed.rate_hz} updates/s each`;
    return `${matches} · ${rate}`;
  }

  /** Asks now, such as after a change. */
  async look() {
    try {
      const stats = await asked("/api/stats");
      const again = this.epoch !== null && stats.epoch !== this.epoch;
      if (this.epoch === null || again) {
        [this.page, this.transports] = await Promise.all([asked("/api/page"), asked("/api/transports")]);
      }
      // A policy has no words for an address of IPv6: there everything goes by the page's own port.
      const named = !location.hostname.startsWith("[");
      this.allowed ??= new Set(named ? this.page.paths.flatMap(({ lanes }) => Object.values(lanes)) : []);
      this.stats = stats;
      this.epoch = stats.epoch;
      [this.state, this.words] = ["up", ""];
      this.#ready.resolve(this);
      if (again) this.dispatchEvent(new Event("restart"));
    } catch (error) {
      this.words = error.message;
      // A refusal is an answer: it takes the server away only from who knows nothing of it yet.
      if (error.status === 0 || this.state !== "up") this.state = "gone";
      if (error.status !== 0) console.warn(error);
    }
    this.dispatchEvent(new Event("change"));
  }

  async #look() {
    await this.look();
    setTimeout(() => this.#look(), EVERY_MS);
  }
}

export const server = new Server();
