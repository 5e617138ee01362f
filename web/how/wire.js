// The bytes of this server now: asked for, shown message by message, each part explained where the focus is.

import { el } from "../lib/dom.js";
import { get } from "../lib/api.js";
import { bytes as size, count, time } from "../lib/format.js";
import { server } from "../lib/server.js";
import { messages, text } from "./parse.js";

/** Asks this server to record its own client. */
export const record = (id, signal, query = "") => get(`/api/wire/${id}${query}`, { signal });

/** The section with its button; `follow(answer)` is told each recording. */
export function wire(id, signal, follow) {
  const box = el("div", { class: "recording" });
  const state = el("p", { class: "small quiet", role: "status" });
  let hex = false;
  let answer = null;
  const again = el("button", { type: "button", onclick: ask }, "Record again");
  const toggle = el("button", { type: "button", "aria-pressed": "false", onclick: () => {
    hex = !hex;
    toggle.setAttribute("aria-pressed", hex);
    if (answer) show();
  } }, "Hex");
  async function ask() {
    again.disabled = true;
    state.textContent = "Recording: three updates, at most three seconds …";
    try {
      answer = await record(id, signal);
      show();
      follow?.(answer);
    } catch (error) {
      if (!signal.aborted) state.textContent = `Nothing was recorded: ${error.message}.`;
    }
    again.disabled = false;
  }
  function show() {
    const all = answer.connections.flatMap(messages);
    const sum = (parts) => parts.reduce((total, { bytes }) => total + bytes.length, 0);
    const parts = all.flatMap((message) => message.parts);
    const tcp = answer.tcp ? `, ${count(answer.tcp.segments_sent + answer.tcp.segments_received)} TCP segments` : "";
    state.textContent = `${count(all.length)} messages in ${time(answer.took_us)}, ${size(sum(parts))}${tcp}; ${size(sum(parts.filter((part) => part.data)))} in the lines that carry updates.${answer.truncated ? " The recording was full." : ""}${answer.error ? ` The session ended: ${answer.error}.` : ""}`;
    const note = el("p", { class: "tip small", "aria-hidden": "true" }, "Point at a line, or move with ↑ and ↓: its meaning stands here.");
    const part = ({ bytes, tip }) => {
      const tell = () => { note.textContent = tip; };
      return el("button", { type: "button", class: "part", tabindex: -1, onfocus: tell, onmouseenter: tell, onclick: tell },
        hex ? hexed(bytes) : shown(bytes), el("span", { class: "only-read" }, ` — ${tip}`));
    };
    box.replaceChildren(...all.map(({ from, title, at_us, parts }, i) =>
      el("details", { open: i < 3, class: from }, el("summary", {}, el("b", {}, from === "client" ? "→" : "←", el("span", { class: "only-read" }, ` from the ${from}`)), ` ${title} `, el("span", { class: "quiet" }, `${time(at_us)} · ${size(sum(parts))}`)),
        el("div", { class: "parts" }, parts.map(part)))), note);
    box.querySelector(".part")?.setAttribute("tabindex", 0);
  }
  box.addEventListener("keydown", (event) => {
    const by = { ArrowDown: 1, ArrowUp: -1 }[event.key];
    const all = [...box.querySelectorAll("details[open] .part")];
    const next = by && all[all.indexOf(event.target) + by];
    if (!next || !event.target.matches(".part")) return;
    event.preventDefault();
    event.target.tabIndex = -1;
    next.tabIndex = 0;
    next.focus();
  });
  if (server.offers("wire")) ask();
  else [state.textContent, again.disabled] = ["This server records nothing.", true];
  return el("div", {}, el("p", { class: "actions" }, again, toggle), state, box);
}

const shown = (bytes) => text(bytes).replace(/\r/g, "␍").replace(/\n/g, "␊").replace(/[\0-\x1f\x7f�]/g, "·") || " ";

function hexed(bytes) {
  const rows = [];
  for (let at = 0; at < bytes.length; at += 16) rows.push([...bytes.subarray(at, at + 16)].map((byte) => byte.toString(16).padStart(2, "0")).join(" "));
  return rows.join("\n");
}
