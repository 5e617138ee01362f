// Words and marks that the list, a run and an overlay have in common.

import { el } from "../lib/dom.js";

/** As in every chart: a technique is told by its shape, not by colour alone. */
const SHAPES = ["●", "■", "◆", "▲", "▼"];

export const runAddress = (id) => `/results/${encodeURIComponent(id)}`;
export const apiAddress = (id) => `/api${runAddress(id)}`;
/** Runs as a query: `?run=A&run=B`. */
export const asked = (ids) => `?${new URLSearchParams(ids.map((id) => ["run", id]))}`;

export function badge(word) {
  return el("span", { class: `badge ${word.toLowerCase()}` }, word);
}

/** What a run is called by: its verdict when it has ended, else what became of it. The list has the verdict itself, a run its standing. */
export function standing({ error, status, standing: held, verdict = held?.verdict }) {
  if (error) return "BROKEN";
  return status === "finished" && verdict ? verdict : status.toUpperCase();
}

export function mark(colour, shape = SHAPES[colour % SHAPES.length]) {
  return el("span", { class: `mark k${colour}`, "aria-hidden": "true" }, shape);
}

/** Local, with UTC where somebody points. */
export function date(utc) {
  const at = new Date(utc);
  if (Number.isNaN(at.getTime())) return utc ?? "–";
  return el("time", { datetime: utc, title: `${utc} (UTC)` }, at.toLocaleString(undefined, { dateStyle: "medium", timeStyle: "short" }));
}

/** Rows done, and what is measured now. */
export function progress({ rows_done, rows_planned, now }) {
  const words = `${rows_done} of ${rows_planned} rows${now ? ` · ${now.label}, repeat ${now.repeat}: ${now.phase}` : ""}`;
  return el("div", { class: "progress" }, el("progress", { max: rows_planned, value: rows_done, "aria-label": "Rows measured" }), el("span", {}, words));
}
