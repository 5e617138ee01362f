// Clients of the bench beside this page: thousands of real connections to the same server, and what they get and cost.
//
//   a button -> PUT /api/demo/crowd/<id> -> figures once a second, for as long as there is a crowd

import { el } from "../lib/dom.js";
import { get, send } from "../lib/api.js";
import { bytes, count, number, percent, time } from "../lib/format.js";

const STEP = 1_000;
const EVERY_MS = 1_000;

export class Crowds {
  #answer = null;
  #timer = null;
  #rows = new Map();
  server_line = el("p", { class: "small number machine" });

  constructor(server, problem, signal) {
    Object.assign(this, { server, problem, signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    // Another page may have left one.
    if (server.offers("demo")) this.#look();
  }

  /** Buttons and figures of a lane's crowd. */
  row({ id, label }) {
    const step = (by) => el("button", { type: "button", disabled: !this.server.offers("demo"), "aria-label": `${label}, crowd: ${by}`, onclick: () => this.#set(id, by) }, by);
    const row = { add: step(`+ ${count(STEP)} clients`), end: step("no clients"), words: el("p", { class: "crowd small number" }) };
    row.end.disabled = true;
    this.#rows.set(id, row);
    return row;
  }

  async #set(id, by) {
    const now = this.#of(id)?.clients ?? 0;
    const most = this.#answer?.most_clients ?? Infinity;
    const clients = by.startsWith("+") ? Math.min(now + STEP, most) : 0;
    try {
      this.#show(await send("PUT", `/api/demo/crowd/${id}`, { clients }, this.server.page.token, { signal: this.signal }));
      this.problem("");
    } catch (error) {
      if (error.name !== "AbortError") this.problem(`No crowd: ${error.message}.`);
    }
  }

  async #look() {
    try {
      this.#show(await get("/api/demo/crowd", { signal: this.signal }));
    } catch {
      // Gone with its server, or never there.
      if (!this.signal.aborted) this.#show(null);
    }
  }

  #of(id) {
    return this.#answer?.crowds.find((crowd) => crowd.transport === id);
  }

  #show(answer) {
    this.#answer = answer;
    clearTimeout(this.#timer);
    if (answer?.crowds.length && !this.signal.aborted) this.#timer = setTimeout(() => this.#look(), EVERY_MS);
    for (const [id, row] of this.#rows) {
      const crowd = this.#of(id);
      row.end.disabled = !crowd;
      row.add.disabled = !this.server.offers("demo") || crowd?.clients >= answer?.most_clients;
      row.words.textContent = crowd ? told(crowd) : "";
    }
    const machine = answer?.crowds.length ? answer.server : null;
    this.server_line.textContent = machine
      ? `The server with them: ${percent(machine.cpu_share)} of a core · ${number(machine.cpu_us_per_update)} µs of CPU per update delivered · ${bytes(machine.rss_bytes)} · ${count(machine.connections)} connections. Server, crowd and page share this machine.`
      : "";
  }
}

function told(crowd) {
  if (crowd.error) return `crowd: ${crowd.error}`;
  const parts = [
    `crowd: ${count(crowd.connected)} of ${count(crowd.clients)} connected`, `${count(crowd.deliveries_per_s)} deliveries/s`,
    `p50 ${time(crowd.latency_p50_us)}`, `p99 ${time(crowd.latency_p99_us)}`, `${bytes(crowd.bytes_per_update)}/update`,
    `${count(crowd.missed)} missed`, `${count(crowd.errors)} errors`, `ends in ${count(crowd.ends_in_s)} s`,
  ];
  return parts.join(" · ");
}
