// The bytes of this server now: recorded, shown message by message, each part explained where the focus is.

import { el } from "../lib/dom.js";
import { get } from "../lib/api.js";
import { bytes as size, count, time } from "../lib/format.js";
import { messages, text } from "./parse.js";

/** Asks this server to record its own client. */
export const record = (id, signal, query = "") => get(`/api/wire/${id}${query}`, { signal });
const sum = (parts) => parts.reduce((total, { bytes }) => total + bytes.length, 0);
export const segments = ({ tcp }) => tcp && tcp.segments_sent + tcp.segments_received;

/** A recording with its buttons. */
export function wire(id, signal) {
  const box = el("div", { class: "recording" });
  const state = el("p", { class: "small quiet", role: "status" }, "Three updates, at most three seconds.");
  let answer;
  const again = el("button", { type: "button", onclick: ask }, "Record again");
  const hex = el("button", { type: "button", "aria-pressed": "false", onclick: () => {
    hex.ariaPressed = hex.ariaPressed !== "true";
    if (answer) show();
  } }, "Hex");
  async function ask() {
    [again.disabled, again.textContent] = [true, "Recording …"];
    try {
      answer = await record(id, signal);
      show();
    } catch (error) {
      box.hidden = !answer;
      state.textContent = `Nothing was recorded: ${error.message}.`;
    }
    [again.disabled, again.textContent] = [false, "Record again"];
  }
  function show() {
    const all = answer.connections.flatMap(messages);
    const parts = all.flatMap((message) => message.parts);
    state.textContent = `${count(all.length)} messages in ${time(answer.took_us)}: ${size(sum(parts))}, ${size(sum(parts.filter((part) => part.data)))} of them in lines that carry updates; ${count(segments(answer))} TCP segments.${answer.truncated ? " The recording was full." : ""}${answer.error ? ` The session ended: ${answer.error}.` : ""}`;
    box.hidden = false;
    box.replaceChildren(...explained(all, hex.ariaPressed === "true"));
  }
  ask();
  return el("div", {}, el("p", { class: "actions" }, again, hex), state, box);
}

/** Messages as lists of parts, one stop for the Tab key, and the line below that explains. */
export function explained(all, hex) {
  const note = el("p", { class: "tip small", "aria-hidden": "true" }, "Point at a line, or move with ↑ and ↓: its meaning stands here.");
  const part = ({ bytes, tip, show, name }) => {
    const tell = () => { note.textContent = tip; };
    return el("button", { type: "button", class: "part", tabindex: -1, onfocus: tell, onmouseenter: tell, onclick: tell },
      show ?? `${name ? `${name} ` : ""}${hex ? hexed(bytes) : shown(bytes)}`, el("span", { class: "only-read" }, `: ${tip}`));
  };
  const telling = all.findIndex(({ parts }) => parts.some(({ data }) => data));
  const list = el("div", { onkeydown: (event) => {
    const lines = [...list.querySelectorAll("[open] .part")];
    const next = lines[lines.indexOf(event.target) + ({ ArrowDown: 1, ArrowUp: -1 }[event.key] ?? NaN)];
    if (!next || !event.target.matches(".part")) return;
    event.preventDefault();
    [event.target.tabIndex, next.tabIndex] = [-1, 0];
    next.focus();
  } }, all.map(({ from, title, at_us, parts }, i) => el("details", { open: i < 2 || i === telling, class: `by-${from}` },
    el("summary", {}, `${from === "client" ? "client →" : "← server"} ${title} `, el("span", { class: "quiet" }, at_us === undefined ? "" : `${time(at_us)}, ${size(sum(parts))}`)),
    el("div", { class: "parts" }, parts.map(part)))));
  list.querySelector(".part")?.setAttribute("tabindex", 0);
  return [list, note];
}

const shown = (bytes) => text(bytes).replace(/\r/g, "\\r").replace(/\n/g, "\\n").replace(/[\0-\x1f\x7f\ufffd]/g, "·");
const byte = (value) => value.toString(16).padStart(2, "0");

/** Sixteen bytes a line. */
export function hexed(bytes) {
  return [...bytes].map((value, i) => byte(value) + (i % 16 === 15 ? "\n" : " ")).join("").trim();
}
