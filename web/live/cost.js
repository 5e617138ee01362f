// Bytes per update, as far as a page can know them. It sees bodies and messages; heads and framing it does not see, so those are taken from
// what the server's own client recorded of the same technique, where the server offers that.
//
//   bodies, messages counted here + /api/wire/<id>: bytes of a head each way, framing of a message -> per_update()
//
// A silent feed shows no framing. Until that of every stream was seen bodies alone are told, and it is looked for now and then.

import { get } from "../lib/api.js";

/** An object without another inside: an update, in whatever stands around it. */
const UPDATE = /\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\}/g;

/** Between two looks, while something is not known. */
const AGAIN_MS = 10_000;

export class Costs {
  /** Technique -> {heads, framing} in bytes, `framing` null where it was not seen; null where nothing was recorded. */
  #wire = new Map();
  #looking = false;
  #timer = null;

  constructor(server, signal) {
    Object.assign(this, { server, signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    this.look();
  }

  /** Another start of the server may frame otherwise. */
  again() {
    this.#wire.clear();
    this.look();
  }

  /** Has what is not known yet recorded, and again later where it could not be. */
  async look() {
    if (this.#looking || !this.server.offers("wire")) return;
    this.#looking = true;
    clearTimeout(this.#timer);
    for (const one of this.server.transports) {
      if (this.#known(one)) continue;
      // Where it fails bodies alone are told, and named so.
      this.#wire.set(one.id, await get(`/api/wire/${one.id}`, { signal: this.signal }).then(measured, () => null));
    }
    this.#looking = false;
    if (!this.complete && !this.signal.aborted) this.#timer = setTimeout(() => this.look(), AGAIN_MS);
  }

  #known({ id, delivery }) {
    const wire = this.#wire.get(id);
    return Boolean(wire) && (delivery === "poll" || wire.framing !== null);
  }

  /** Whether heads and framing are known of all; or else of none, for they are compared. */
  get complete() {
    return this.server.transports.every((one) => this.#known(one));
  }

  per_update(id, ledger) {
    if (ledger.updates === 0) return null;
    const { heads, framing } = this.complete ? this.#wire.get(id) : { heads: 0, framing: 0 };
    return (ledger.seen_bytes + ledger.requests * heads + ledger.messages * (framing ?? 0)) / ledger.updates;
  }
}

function measured({ connections }) {
  const said = (from) => connections.map(({ chunks }) => chunks.filter((chunk) => chunk.from === from).map((chunk) => atob(chunk.base64)).join(""));
  const mean = (heads) => (heads.length ? heads.reduce((sum, head) => sum + head.length, 0) / heads.length : 0);
  const requests = said("client").flatMap((text) => text.match(/GET [^]*?\r\n\r\n/g) ?? []);
  const answers = said("server").flatMap((text) => text.match(/HTTP\/1\.1 \d{3}[^]*?\r\n\r\n/g) ?? []);
  if (requests.length === 0 || answers.length === 0) return null;
  // From the end of one update to the start of the next, where two came; only a stream's is used.
  const gaps = [];
  for (const text of said("server")) {
    const updates = [...text.matchAll(UPDATE)].filter(([found]) => found.includes('"seq":'));
    for (let k = 1; k < updates.length; k++) gaps.push(updates[k].index - updates[k - 1].index - updates[k - 1][0].length);
  }
  gaps.sort((a, b) => a - b);
  return { heads: mean(requests) + mean(answers), framing: gaps[Math.floor(gaps.length / 2)] ?? null };
}
