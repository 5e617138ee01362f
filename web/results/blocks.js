// What the server rendered of a record, on the page: sections that fold, tables that sort, links that lead somewhere.

import { sortable } from "../lib/charts.js";
import { el, fragment } from "../lib/dom.js";
import { apiAddress } from "./words.js";

/** Between two parts of a long page, so that it answers meanwhile. */
export const breath = () => new Promise((resolve) => setTimeout(resolve));

/** `run`: whose files relative links mean. */
export function markup(html, run) {
  const made = fragment(html);
  made.querySelectorAll("table").forEach(sortable);
  for (const box of made.querySelectorAll(".table")) {
    // They scroll in themselves, by keyboard too.
    box.tabIndex = 0;
    box.setAttribute("role", "region");
  }
  for (const link of run === undefined ? [] : made.querySelectorAll("a[href]")) {
    const to = link.getAttribute("href");
    if (/^[\w.-]+$/.test(to)) [link.href, link.download] = [`${apiAddress(run)}/files/${to}`, to];
  }
  return made;
}

/** An empty place for a block: a section, or one that is folded. */
export function place({ id, title, open, kind }) {
  const body = el("div", { class: "body" });
  const head = title ? el("h2", {}, title) : null;
  const element = open ? el("section", { id, class: kind }, head, body) : el("details", { id, class: kind }, el("summary", {}, head), body);
  return { element, body, html: null };
}

/** Fills it again where its HTML is another: folds stay open, tables sorted, and the focus where it was. */
export function refill(block, html, run) {
  if (block.html === html) return;
  const { body } = block;
  const stops = () => [...body.querySelectorAll("a, button, summary, [tabindex]")];
  const at = body.contains(document.activeElement) ? stops().indexOf(document.activeElement) : -1;
  const open = [...body.querySelectorAll("details")].map((one) => one.open);
  const sorted = [...body.querySelectorAll("table")].map((table) => {
    const head = table.querySelector("th[aria-sort]");
    return head && { column: head.cellIndex, presses: head.ariaSort === "ascending" ? 1 : 2 };
  });
  block.html = html;
  body.replaceChildren(markup(html, run));
  body.querySelectorAll("details").forEach((one, i) => (one.open = open[i] ?? one.open));
  body.querySelectorAll("table").forEach((table, i) => {
    const button = sorted[i] && table.tHead?.rows[0].cells[sorted[i].column]?.querySelector("button");
    for (let press = 0; button && press < sorted[i].presses; press++) button.click();
  });
  if (at >= 0) stops()[at]?.focus({ preventScroll: true });
}
