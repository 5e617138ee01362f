// Bytes per update, as far as a page can know them. It sees bodies and messages; heads and framing it does not see, so those are taken from
// what the server's own client recorded of the same technique, where the server offers that.
//
//   bodies, messages counted here + /api/wire/<id>: bytes of a head each way, framing of a message -> per_update()

import { get } from "../lib/api.js";

/** An object without another inside: an update, in whatever stands around it. */
const UPDATE = /\{(?:[^"{}]|"(?:[^"\\]|\\.)*")*\}/g;

export class Costs {
  /** Technique -> {heads, framing} in bytes, or null where nothing was recorded. */
  #wire = new Map();

  constructor(server, signal) {
    Object.assign(this, { server, signal });
    this.look();
  }

  async look() {
    this.#wire.clear();
    if (!this.server.offers("wire")) return;
    for (const { id } of this.server.transports) {
      // Where it fails bodies alone are told, and named so.
      this.#wire.set(id, await get(`/api/wire/${id}`, { signal: this.signal }).then(measured, () => null));
    }
  }

  /** Whether heads and framing are known of all; or else of none, for they are compared. */
  get complete() {
    return this.server.transports.every(({ id }) => this.#wire.get(id));
  }

  per_update(id, ledger) {
    if (ledger.updates === 0) return null;
    const { heads, framing } = this.complete ? this.#wire.get(id) : { heads: 0, framing: 0 };
    return (ledger.seen_bytes + ledger.requests * heads + ledger.messages * framing) / ledger.updates;
  }
}

function measured({ connections }) {
  const said = (from) => connections.map(({ chunks }) => chunks.filter((chunk) => chunk.from === from).map((chunk) => atob(chunk.base64)).join(""));
  const mean = (heads) => (heads.length ? heads.reduce((sum, head) => sum + head.length, 0) / heads.length : 0);
  const requests = said("client").flatMap((text) => text.match(/GET [^]*?\r\n\r\n/g) ?? []);
  const answers = said("server").flatMap((text) => text.match(/HTTP\/1\.1 \d{3}[^]*?\r\n\r\n/g) ?? []);
  if (requests.length === 0 || answers.length === 0) return null;
  // From the end of one update to the start of the next; only a stream's is used.
  const gaps = [];
  for (const text of said("server")) {
    const updates = [...text.matchAll(UPDATE)].filter(([found]) => found.includes('"seq":'));
    for (let k = 1; k < updates.length; k++) gaps.push(updates[k].index - updates[k - 1].index - updates[k - 1][0].length);
  }
  gaps.sort((a, b) => a - b);
  return { heads: mean(requests) + mean(answers), framing: gaps[Math.floor(gaps.length / 2)] ?? 0 };
}
