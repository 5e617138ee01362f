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
/** `of`: what is sorted by; without it, the column is not sorted. Narrow columns fold into the first one on a phone. */
const COLUMNS = [
  { id: "title", head: "Run", of: (run) => run.title ?? run.id },
  { id: "started", head: "Started", of: (run) => run.started_utc, cell: (run) => date(run.started_utc), kind: "wide" },
  { id: "verdict", head: "Verdict", of: (run) => WORDS.indexOf(standing(run)), cell: (run) => badge(standing(run)) },
  { id: "clients", head: "Clients", of: (run) => run.clients, cell: (run) => count(run.clients), kind: "right wide" },
  { id: "rate", head: "Updates/s", of: (run) => run.rate_hz, cell: rate, kind: "right wide" },
  { id: "size", head: "Update size", of: (run) => run.update_bytes, cell: (run) => bytes(run.update_bytes), kind: "right wide" },
  { id: "techniques", head: "Techniques", cell: techniques, kind: "wide" },
  { id: "revision", head: "Revision", of: (run) => run.revision, cell: (run) => el("code", {}, (run.revision ?? "–").slice(0, 12)), kind: "wide" },
];

export async function show({ root, query, signal }) {
  const chosen = new Set(query.getAll("run"));
  const rows = new Map();
  let runs = null;
  let left = 0;
  let known = "";

  const text = el("input", { type: "search", id: "filter", autocomplete: "off", placeholder: "scenario, technique, revision …", value: query.get("q") ?? "", oninput: refresh });
  const verdict = el("select", { id: "verdict", onchange: refresh }, el("option", { value: "" }, "any"), WORDS.map((word) => el("option", { selected: query.get("verdict") === word }, word)));
  const over = el("button", { type: "button", onclick: () => go(`/results/overlay${asked([...chosen])}`) });
  const found = el("p", { class: "found quiet small" });
  const spoken = el("p", { class: "only-read", role: "status" });
  const say = speaker(spoken);
  const body = el("tbody");
  const heads = COLUMNS.map(({ id, head, of, kind }) =>
    el("th", { scope: "col", class: kind, "data-id": id }, of ? el("button", { type: "button", onclick: () => sort(id) }, head) : head));
  const table = el("div", { class: "table runs" }, el("table", {}, el("thead", {}, el("tr", {}, el("th", { scope: "col" }, el("span", { class: "only-read" }, "Chosen")), heads)), body));
  const tools = el("div", { class: "tools" },
    el("p", {}, el("label", { for: "filter" }, "Filter"), text), el("p", {}, el("label", { for: "verdict" }, "Verdict"), verdict), el("p", {}, over), found);
  const place = el("div", {}, waiting("reading the runs …"));
  root.append(el("h1", {}, "Results"), el("p", { class: "quiet" }, "Choose two or more runs to lay them over each other."), place, spoken);

  function sort(id) {
    const next = query.get("sort") !== id ? "up" : query.get("order") === "up" ? "down" : null;
    query.delete("sort");
    query.delete("order");
    if (next) [query.set("sort", id), query.set("order", next)];
    refresh();
  }

  /** What fits the filter, in its order; what is running stays on top, and what is not known below. */
  function inOrder() {
    const words = text.value.toLowerCase().split(/\s+/).filter(Boolean);
    const fits = (run) => {
      const all = [run.id, run.title, run.scenario, run.revision, ...(run.labels ?? [])].join(" ").toLowerCase();
      return words.every((word) => all.includes(word)) && (!verdict.value || standing(run) === verdict.value);
    };
    const { of } = COLUMNS.find(({ id }) => id === query.get("sort")) ?? {};
    const sign = query.get("order") === "down" ? -1 : 1;
    const compare = (a, b) => {
      const [x, y] = [of(a), of(b)];
      if (x === y) return 0;
      if (x === null || x === undefined) return 1;
      if (y === null || y === undefined) return -1;
      return sign * (typeof x === "string" ? x.localeCompare(y) : x - y);
    };
    const some = runs.filter(fits);
    if (of) some.sort(compare);
    return some.sort((a, b) => (b.status === "running") - (a.status === "running"));
  }

  function refresh() {
    for (const [key, value] of [["q", text.value], ["verdict", verdict.value]]) value ? query.set(key, value) : query.delete(key);
    query.delete("run");
    for (const id of chosen) query.append("run", id);
    history.replaceState(null, "", query.size ? `/results?${query}` : "/results");
    for (const head of heads) {
      if (head.dataset.id === query.get("sort")) head.setAttribute("aria-sort", query.get("order") === "down" ? "descending" : "ascending");
      else head.removeAttribute("aria-sort");
    }
    over.disabled = chosen.size < 2;
    over.textContent = chosen.size < 2 ? "Lay over each other" : `Lay ${chosen.size} over each other`;
    if (runs === null) return;
    const some = inOrder();
    found.textContent = `${count(some.length)} of ${count(runs.length)} runs` + (left ? `; ${count(left)} older ones are left out` : "");
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
    const json = JSON.stringify(run);
    const old = rows.get(run.id);
    if (old?.json === json) return old.row;
    const made = run.error ? broken(run) : whole(run);
    rows.set(run.id, { json, row: made });
    return made;
  }

  function whole(run) {
    const choose = el("input", { type: "checkbox", "aria-label": `Choose ${run.title}, ${run.started_utc}`, checked: chosen.has(run.id), "data-key": `choose ${run.id}` });
    choose.addEventListener("change", () => (choose.checked ? chosen.add(run.id) : chosen.delete(run.id), refresh()));
    const title = el("th", { scope: "row" }, el("a", { href: runAddress(run.id), "data-key": run.id }, run.title),
      run.status === "running" ? progress(run) : null, el("span", { class: "narrow quiet" }, date(run.started_utc), ` · ${count(run.clients)} clients · ${rate(run)} updates/s `, techniques(run)));
    return el("tr", { class: run.status }, el("td", {}, choose), title, COLUMNS.slice(1).map(({ cell, kind }) => el("td", { class: kind }, cell(run))));
  }

  /** Not hidden: whoever misses a run finds out why. */
  function broken(run) {
    return el("tr", {}, el("td"), el("th", { scope: "row" }, run.id, el("p", { class: "why" }, run.error)), el("td"), el("td", {}, badge("BROKEN")),
      COLUMNS.slice(3).map(({ kind }) => el("td", { class: kind })));
  }

  function news(before, after) {
    const old = new Map(before.map((run) => [run.id, run]));
    for (const run of after) {
      const was = old.get(run.id);
      if (!was) say(`A new run: ${run.title ?? run.id}`);
      else if (was.status !== run.status) say(`${run.title}: ${standing(run)}`);
      else if (was.rows_done !== run.rows_done) say(`${run.title}: ${run.rows_done} of ${run.rows_planned} rows`);
    }
  }

  function tell(answer) {
    if (runs) news(runs, answer.runs);
    const json = JSON.stringify(answer);
    if (json === known && place.contains(table)) return void (found.classList.contains("stale") && fresh());
    known = json;
    runs = answer.runs;
    left = answer.left_out;
    const ids = new Set(runs.map((run) => run.id));
    [...rows.keys()].forEach((id) => ids.has(id) || rows.delete(id));
    [...chosen].forEach((id) => ids.has(id) || chosen.delete(id));
    if (runs.length === 0) {
      place.replaceChildren(empty("No runs yet", `Nothing stands in ${answer.folder} so far. This makes a first one; it appears here as it grows:`, [el("code", {}, "cargo run --release -- run")]));
      return;
    }
    if (!place.contains(table)) place.replaceChildren(tools, table);
    fresh();
  }

  function fresh() {
    found.classList.remove("stale");
    refresh();
  }

  function fail(error) {
    if (runs?.length) {
      found.classList.add("stale");
      found.textContent = `${error.message}; this is what was known`;
    } else place.replaceChildren(problem("The runs could not be read", `${error.message}; asked again every two seconds.`));
  }

  await poll("/api/results", signal, tell, fail);
}

function rate(run) {
  if (run.rate_hz === null) return "as recorded";
  return run.topics > 1 ? `${number(run.rate_hz)} × ${count(run.topics)} topics` : number(run.rate_hz);
}

function techniques(run) {
  const marks = run.transports.map((id) => server.transports.findIndex((one) => one.id === id)).map((at) => mark(at < 0 ? 6 : at % 7));
  const words = run.labels.join(", ");
  return el("span", { class: "marks", title: words }, marks, el("span", { class: "only-read" }, words));
}
