// Several runs laid over each other: the same cards, and for two of them what changed.
//
//   /results/overlay?run=A&run=B -> GET /api/results/overlay?… (every 2 s while one is running) -> runs, warnings, changes, charts

import { el } from "../lib/dom.js";
import { problem, waiting } from "../lib/states.js";
import { place, refill } from "./blocks.js";
import { cards } from "./cards.js";
import { poll } from "./poll.js";
import { asked, date, runAddress } from "./words.js";

export async function show({ root, query, ...asking }) {
  const { signal } = asking;
  const ids = query.getAll("run");
  const list = el("ul");
  const warnings = el("ul", { class: "warnings" });
  const stale = el("p", { class: "stale" });
  const body = el("div", { class: "blocks" });
  const content = el("div", {}, waiting("reading the runs …"));
  root.append(el("p", { class: "back" }, el("a", { href: `/results${asked(ids)}` }, "← Choose others")), el("h1", {}, "Runs laid over each other"), content);
  document.title = `${ids.length} runs · Results`;

  const charts = cards(signal);
  const pictures = place({ id: "charts", title: "Charts", open: true, kind: "charts" });
  const changes = place({ id: "changes", title: "What changed", open: true });
  pictures.body.append(charts.element);
  let known = "";

  function tell(answer) {
    const json = JSON.stringify(answer);
    stale.textContent = "";
    if (json !== known) {
      list.replaceChildren(...answer.runs.map(entry));
      warnings.replaceChildren(...answer.warnings.map((words) => el("li", {}, words)));
      charts.update(answer.charts, answer.legend);
      if (answer.changes !== null) refill(changes, answer.changes);
      if (!known) {
        body.append(...(answer.changes === null ? [] : [changes.element]), pictures.element);
        content.replaceChildren(list, warnings, stale, body);
      }
      known = json;
    }
    return answer.runs.some((run) => run.status === "running");
  }

  /** Where two are left, none of them can be taken away. */
  function entry({ id, title, started_utc, status }) {
    const rest = ids.filter((one) => one !== id);
    const away = rest.length > 1 && el("a", { class: "button", href: `/results/overlay${asked(rest)}`, "aria-label": `Take ${title}, ${started_utc}, away` }, "Take away");
    return el("li", {}, el("a", { href: runAddress(id) }, title), el("span", { class: "quiet small" }, ` ${id} · `, date(started_utc), status === "finished" ? " " : ` · ${status} `), away);
  }

  function fail(error) {
    if (known) stale.textContent = `${error.message}; this is what was known`;
    else content.replaceChildren(problem("These runs could not be laid over each other", error.message));
  }

  await poll(asking, tell, fail);
}
