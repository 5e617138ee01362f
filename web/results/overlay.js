// Several runs laid over each other: the same cards, and for two of them what changed.
//
//   /results/overlay?run=A&run=B -> GET /api/results/overlay?… -> runs, warnings, changes, charts

import { el } from "../lib/dom.js";
import { problem, waiting } from "../lib/states.js";
import { place, refill } from "./blocks.js";
import { cards } from "./cards.js";
import { poll } from "./poll.js";
import { date, overlayAddress, runAddress } from "./words.js";

export async function show({ root, query, signal }) {
  const ids = query.getAll("run");
  const more = el("a", { href: `/results?${new URLSearchParams(ids.map((id) => ["run", id]))}` }, "← Choose others");
  const list = el("ul", { class: "chosen" });
  const warnings = el("ul", { class: "warnings" });
  const stale = el("p", { class: "stale" });
  const body = el("div", { class: "blocks" }, waiting("reading the runs …"));
  root.append(el("p", { class: "back" }, more), el("h1", {}, "Runs laid over each other"), list, warnings, stale, body);
  if (ids.length < 2) return body.replaceChildren(problem("Two runs or more", "Choose them in the list of runs.", [el("a", { class: "button", href: "/results" }, "All runs")]));
  document.title = `${ids.length} runs · Results`;

  const charts = cards(signal);
  const pictures = place({ id: "charts", title: "Charts", open: true, kind: "charts" });
  const changes = place({ id: "changes", title: "What changed", open: true, kind: "changes" });
  pictures.body.append(charts.element);
  let known = "";

  function tell(answer) {
    const json = JSON.stringify(answer);
    stale.textContent = "";
    if (json !== known) {
      known = json;
      list.replaceChildren(...answer.runs.map(entry));
      warnings.replaceChildren(...answer.warnings.map((words) => el("li", {}, words)));
      charts.update(answer.charts, answer.legend, "");
      if (answer.changes !== null) refill(changes, answer.changes);
      const parts = answer.changes === null ? [pictures.element] : [changes.element, pictures.element];
      if (parts.some((part) => part.parentNode !== body)) body.replaceChildren(...parts);
    }
    return answer.runs.some((run) => run.status === "running");
  }

  /** Where two are left, one more cannot be taken away. */
  function entry(run) {
    const rest = ids.filter((id) => id !== run.id);
    const away = rest.length < 2 ? null : el("a", { class: "button", href: overlayAddress(rest), "aria-label": `Take ${run.title}, ${run.started_utc}, away` }, "Take away");
    return el("li", {}, el("a", { href: runAddress(run.id) }, run.title), " ", el("span", { class: "quiet small" }, date(run.started_utc), run.status === "finished" ? "" : ` · ${run.status}`), " ", away);
  }

  function fail(error) {
    if (known) stale.textContent = `${error.message}; this is what was known`;
    else body.replaceChildren(problem("These runs could not be laid over each other", error.message, [more.cloneNode(true)]));
  }

  await poll(`/api/results/overlay?${new URLSearchParams(ids.map((id) => ["run", id]))}`, signal, tell, fail);
}
