// Clients of the bench beside this page: thousands of real connections to the same server, and what they get and cost.
//
//   a button -> GET /api/demo/crowd (another page may have changed it) -> PUT /api/demo/crowd/<id>
//   figures once a second for as long as there is a crowd, else now and then: another page may make one

import { el } from "../lib/dom.js";
import { get, send } from "../lib/api.js";
import { bytes, count, number, percent, time } from "../lib/format.js";

const STEP = 1_000;
const EVERY_MS = { crowded: 1_000, empty: 5_000 };

export class Crowds {
  #answer = null;
  #timer = null;
  #rows = new Map();
  server_line = el("p", { class: "small number machine" });

  constructor(server, problem, signal) {
    Object.assign(this, { server, problem, signal });
    signal.addEventListener("abort", () => clearTimeout(this.#timer));
    if (server.offers("demo")) this.#look();
  }

  /** Buttons and figures of a lane's crowd. */
  row({ id, label }) {
    const step = (by) => el("button", { type: "button", disabled: !this.server.offers("demo"), "aria-label": `${label}, crowd: ${by}`, onclick: ({ currentTarget }) => this.#set(id, by, currentTarget) }, by);
    const row = { add: step(`+ ${count(STEP)} clients`), end: step("no clients"), words: el("p", { class: "crowd small number" }) };
    row.end.disabled = true;
    this.#rows.set(id, row);
    return row;
  }

  async #set(id, by, button) {
    // Off by its attribute: a button that is disabled would lose the keyboard's focus.
    if (button.ariaDisabled === "true") return;
    button.ariaDisabled = "true";
    try {
      this.#show(await get("/api/demo/crowd", { signal: this.signal }));
      const clients = by.startsWith("+") ? Math.min((this.#of(id)?.clients ?? 0) + STEP, this.#answer.most_clients) : 0;
      this.#show(await send("PUT", `/api/demo/crowd/${id}`, { clients }, this.server.page.token, { signal: this.signal }));
      this.problem("");
    } catch (error) {
      if (error.name !== "AbortError") this.problem(`The crowd stays as it is: ${error.message}.`);
    }
    button.ariaDisabled = "false";
  }

  async #look() {
    try {
      this.#show(await get("/api/demo/crowd", { signal: this.signal }));
    } catch {
      this.#later(); // One answer that is lost ends no crowd: what was known stays.
    }
  }

  #later() {
    clearTimeout(this.#timer);
    const every_ms = this.#answer?.crowds.length ? EVERY_MS.crowded : EVERY_MS.empty;
    if (!this.signal.aborted) this.#timer = setTimeout(() => this.#look(), every_ms);
  }

  #of(id) {
    return this.#answer?.crowds.find((crowd) => crowd.transport === id);
  }

  #show(answer) {
    this.#answer = answer;
    this.#later();
    for (const [id, row] of this.#rows) {
      const crowd = this.#of(id);
      row.end.disabled = !crowd;
      row.add.disabled = !this.server.offers("demo") || crowd?.clients >= answer.most_clients;
      row.words.textContent = crowd ? told(crowd) : "";
    }
    const machine = answer.crowds.length ? answer.server : null;
    this.server_line.textContent = machine
      ? `The server with them: ${percent(machine.cpu_share)} of a core · ${number(machine.cpu_us_per_update)} µs of CPU per update delivered · ${bytes(machine.rss_bytes)} · ${count(machine.connections)} connections. The page's own requests, its delayed paths and recordings of the wire are in it. Server, crowd and page share this machine.`
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
