// The runs of the folder: to sort, to filter, to choose some and lay them over each other. Who waits for a run sees it grow.
//
//   GET /api/results, every 2 s -> runs -> filter, sort (kept in the query string) -> rows, each made anew only when it changed

import { el } from "../lib/dom.js";
import { bytes, count, number } from "../lib/format.js";
import { empty, problem, waiting } from "../lib/states.js";
import { server } from "../lib/server.js";
import { go } from "../app.js";
import { poll, speaker } from "./poll.js";
import { asked, badge, date, mark, progress, runAddress, standing } from "./words.js";

const WORDS = ["VALID", "SUSPECT", "INVALID", "FAILED", "RUNNING", "INTERRUPTED", "BROKEN"];
/** `of`: what is sorted by; without it, the column is not sorted. On a phone, wide ones stand in the first, in short. */
const COLUMNS = [
  { id: "title", head: "Run", of: (run) => run.title ?? run.id },
  { id: "started", head: "Started", of: (run) => run.started_utc, cell: (run) => date(run.started_utc), kind: "wide" },
  { id: "verdict", head: "Verdict", of: (run) => WORDS.indexOf(standing(run)), cell: (run) => badge(standing(run)) },
  { id: "clients", head: "Clients", of: (run) => run.clients, cell: (run) => count(run.clients), kind: "right wide" },
  { id: "rate", head: "Updates/s", of: (run) => run.rate_hz, cell: rate, kind: "right wide" },
  { id: "size", head: "Update size", of: (run) => run.update_bytes, cell: (run) => bytes(run.update_bytes), kind: "right wide" },
  { id: "techniques", head: "Techniques", cell: techniques, kind: "wide" },
  { id: "revision", head: "Revision", of: (run) => run.revision, cell: (run) => el("code", {}, run.revision.slice(0, 13)), kind: "wide" },
];

export async function show({ root, query, ...asking }) {
  const { signal } = asking;
  const chosen = new Set(query.getAll("run"));
  const rows = new Map();
  let known = null;
  let json = "";

  const text = el("input", { type: "search", id: "filter", autocomplete: "off", placeholder: "scenario, technique, revision …", value: query.get("q"), oninput: refresh });
  const options = WORDS.map((word) => el("option", { selected: query.get("verdict") === word }, word));
  const verdict = el("select", { id: "verdict", onchange: refresh }, el("option", { value: "" }, "any"), options);
  const over = el("button", { type: "button", onclick: layOver });
  const found = el("p", { class: "found quiet small" });
  const tools = el("div", { class: "tools" },
    el("p", {}, el("label", { for: "filter" }, "Filter"), text), el("p", {}, el("label", { for: "verdict" }, "Verdict"), verdict), el("p", {}, over), found);
  const heads = COLUMNS.map(({ id, head, of, kind }) =>
    el("th", { scope: "col", class: kind }, of ? el("button", { type: "button", onclick: () => sort(id) }, head) : head));
  const body = el("tbody");
  const table = el("div", { class: "table runs" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "only-read" }, "Chosen")), heads)), body));
  const place = el("div", {}, waiting("reading the runs …"));
  const spoken = el("p", { class: "only-read", role: "status" });
  const say = speaker(spoken);
  root.append(el("h1", {}, "Results"), el("p", { class: "quiet" }, "Choose two or more runs to lay them over each other."), place, spoken);

  function layOver() {
    go(`/results/overlay${asked([...chosen])}`);
    scrollTo(0, 0);
    root.focus({ preventScroll: true });
  }

  /** Up, down, and as it was: newest first. */
  function sort(id) {
    const next = query.get("sort") !== id ? "up" : query.get("order") === "up" ? "down" : null;
    if (next) [query.set("sort", id), query.set("order", next)];
    else [query.delete("sort"), query.delete("order")];
    refresh();
  }

  /** What fits the filter, in its order; what is running stays on top, and what is not known below. */
  function inOrder() {
    const words = text.value.toLowerCase().split(/\s+/);
    const fits = (run) => {
      const all = [run.id, run.title, run.revision, run.labels].join(" ").toLowerCase();
      return words.every((word) => all.includes(word)) && (!verdict.value || standing(run) === verdict.value);
    };
    const { of = () => 0 } = COLUMNS.find(({ id }) => id === query.get("sort")) ?? {};
    const sign = query.get("order") === "down" ? -1 : 1;
    const compare = (a, b) => {
      const [x, y] = [of(a) ?? null, of(b) ?? null];
      if (x === null || y === null) return (x === null) - (y === null);
      return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
    };
    const running = (run) => run.status === "running";
    return known.runs.filter(fits).sort((a, b) => running(b) - running(a) || compare(a, b));
  }

  function refresh() {
    for (const [key, value] of [["q", text.value], ["verdict", verdict.value]]) value ? query.set(key, value) : query.delete(key);
    query.delete("run");
    for (const id of chosen) query.append("run", id);
    history.replaceState(null, "", query.size ? `/results?${query}` : "/results");
    heads.forEach((head, at) => {
      if (COLUMNS[at].id === query.get("sort")) head.ariaSort = query.get("order") === "down" ? "descending" : "ascending";
      else head.removeAttribute("aria-sort");
    });
    over.disabled = chosen.size < 2;
    over.textContent = chosen.size < 2 ? "Lay over each other" : `Lay ${chosen.size} over each other`;
    const some = inOrder();
    found.textContent = `${count(some.length)} of ${count(known.runs.length)} runs${known.left_out ? `; ${count(known.left_out)} older ones are left out` : ""}`;
    const next = some.length ? some.map(row) : [el("tr", {}, el("td", { colspan: COLUMNS.length + 1 }, "No run fits. ", el("button", { type: "button", onclick: all }, "Show all")))];
    if (next.length === body.rows.length && next.every((one, i) => one === body.rows[i])) return;
    // Whoever stands in a row stays there, by what the element leads to.
    const held = document.activeElement?.closest("tbody [data-key]")?.dataset.key;
    body.replaceChildren(...next);
    if (held) body.querySelector(`[data-key="${CSS.escape(held)}"]`)?.focus({ preventScroll: true });
  }

  function all() {
    text.value = verdict.value = "";
    refresh();
    text.focus();
  }

  function row(run) {
    const now = JSON.stringify(run);
    if (rows.get(run.id)?.now !== now) rows.set(run.id, { now, made: run.error ? broken(run) : whole(run) });
    return rows.get(run.id).made;
  }

  function whole(run) {
    const choose = () => (chosen.delete(run.id) || chosen.add(run.id), refresh());
    const box = el("input", { type: "checkbox", "aria-label": `Choose ${run.title}, ${run.started_utc}`, checked: chosen.has(run.id), "data-key": `choose ${run.id}`, onchange: choose });
    const title = el("th", { scope: "row" }, el("a", { href: runAddress(run.id), "data-key": run.id }, run.title), run.status === "running" && progress(run),
      el("span", { class: "narrow quiet" }, date(run.started_utc), ` · ${count(run.clients)} clients · ${rate(run)} updates/s `, techniques(run)));
    return el("tr", { class: run.status }, el("td", {}, box), title, COLUMNS.slice(1).map(({ cell, kind }) => el("td", { class: kind }, cell(run))));
  }

  /** Not hidden: whoever misses a run finds out why. */
  function broken({ id, error }) {
    return el("tr", {}, el("td"), el("th", { scope: "row" }, id, el("p", { class: "why" }, error)), COLUMNS.slice(1).map((column) => el("td", { class: column.kind }, column.id === "verdict" && badge("BROKEN"))));
  }

  function news(before, after) {
    for (const run of after) {
      const was = before.find(({ id }) => id === run.id);
      if (!was) say(`A new run: ${run.title ?? run.id}`);
      else if (was.status !== run.status) say(`${run.title}: ${standing(run)}`);
      else if (was.rows_done !== run.rows_done) say(`${run.title}: ${run.rows_done} of ${run.rows_planned} rows`);
    }
  }

  function tell(answer) {
    const now = JSON.stringify(answer);
    if (now === json) return;
    if (known) news(known.runs, answer.runs);
    [known, json] = [answer, now];
    for (const id of chosen) if (!answer.runs.some((run) => run.id === id)) chosen.delete(id);
    if (answer.runs.length === 0) {
      place.replaceChildren(empty("No runs yet", `Nothing stands in ${answer.folder} so far. This makes a first one, which appears here and grows:`, [el("code", {}, "cargo run --release -- run")]));
      return;
    }
    refresh();
    if (!table.isConnected) place.replaceChildren(tools, table);
  }

  function fail({ message }) {
    json = "";
    if (table.isConnected) found.textContent = `${message}; this is what was known`;
    else place.replaceChildren(problem("The runs could not be read", `${message}; asked again every two seconds.`));
  }

  await poll(asking, tell, fail);
}

function rate(run) {
  if (run.rate_hz === null) return "as recorded";
  return run.topics > 1 ? `${number(run.rate_hz)} × ${count(run.topics)} topics` : number(run.rate_hz);
}

/** Variants of a technique have its mark: `sse/one` is one of `sse`. */
function techniques(run) {
  const places = new Set(run.transports.map((id) => server.transports.findIndex((one) => one.id === id.split("/")[0])));
  const words = run.labels.join(", ");
  return el("span", { class: "marks", title: words }, [...places].map((at) => mark(at < 0 ? 6 : at % 7)), el("span", { class: "only-read" }, words));
}
