// One run: its verdict and the reasons first, then figures, charts, and everything else the report says, in its order.
//
//   GET /api/results/<id> (every 2 s while it is running) -> blocks, each filled in a task of its own, and again where it changed

import { el } from "../lib/dom.js";
import { bytes } from "../lib/format.js";
import { problem, waiting } from "../lib/states.js";
import { place, refill } from "./blocks.js";
import { cards } from "./cards.js";
import { poll, speaker } from "./poll.js";
import { apiAddress, badge, progress, standing } from "./words.js";

export async function show({ root, id, signal }) {
  const title = el("h1", {}, id);
  const state = el("p", { class: "state" });
  const growing = el("div");
  const spoken = el("p", { class: "only-read", role: "status" });
  const say = speaker(spoken);
  const contents = el("nav", { class: "contents", "aria-label": "On this page" });
  const body = el("div", { class: "blocks" }, waiting("reading the run …"));
  const charts = cards(signal);
  const blocks = new Map();
  let shown = null;
  let filling = Promise.resolve();
  root.append(el("p", { class: "back" }, el("a", { href: "/results" }, "← All runs")), title, state, growing, contents, body, spoken);
  root.addEventListener("click", follow, { signal });

  /** Links within the run open what is folded; the address keeps them, the history does not grow. */
  function follow(event) {
    const link = event.target.closest("a[href^='#']");
    if (!link) return;
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    reach(link.hash);
  }

  function reach(hash) {
    const target = document.getElementById(decodeURIComponent(hash.slice(1)));
    if (!target || !body.contains(target)) return;
    target.closest("details:not([open])")?.setAttribute("open", "");
    target.tabIndex = -1;
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  }

  function tell(run) {
    const { now, ...done } = run.progress ?? {};
    const running = run.status === "running";
    growing.replaceChildren(...(running && run.progress ? [progress(run.progress)] : []));
    if (run.version !== shown?.version || run.status !== shown.status) {
      if (shown) say(running ? `${done.rows_done} of ${done.rows_planned} rows` : `The run has ended: ${run.standing?.verdict ?? run.status}`);
      const first = shown === null;
      shown = run;
      head(run);
      filling = filling.then(() => fill(run, first));
    }
    return running;
  }

  function head(run) {
    document.title = `${run.title} · Results`;
    title.textContent = run.title;
    state.replaceChildren(badge(standing({ ...run, verdict: run.standing?.verdict })) ?? "", el("span", { class: "quiet small" }, run.id));
    const links = [...run.blocks.filter((block) => block.title), { id: "files", title: "Files" }, { id: "again", title: "How to run it again" }];
    contents.replaceChildren(...links.map((block) => el("a", { href: `#${encodeURIComponent(block.id)}` }, block.title)));
  }

  async function fill(run, first) {
    const list = [...run.blocks, { id: "files", title: "Files", open: true }, { id: "again", title: "How to run it again", open: true }];
    if (first) body.replaceChildren();
    for (const [at, block] of list.entries()) {
      const key = `${block.kind} ${block.id} ${block.open}`;
      const old = blocks.get(key);
      const made = old ?? place(block);
      blocks.set(key, made);
      if (body.children[at] !== made.element) body.insertBefore(made.element, body.children[at] ?? null);
      if (block.kind === "charts") {
        if (!old) made.body.append(charts.element);
        charts.update(run.charts, run.legend, run.version);
      } else if (block.id === "files") made.body.replaceChildren(files(run));
      else if (block.id === "again") made.body.replaceChildren(commands(run));
      else refill(made, block.html, id);
      // The page answers between two of them.
      await new Promise((resolve) => setTimeout(resolve));
      if (signal.aborted) return;
    }
    while (body.children.length > list.length) body.lastChild.remove();
    if (first && location.hash) reach(location.hash);
  }

  function fail(error) {
    if (shown) growing.replaceChildren(el("p", { class: "stale" }, `${error.message}; this is what was known`));
    else body.replaceChildren(problem("This run could not be read", error.message, [el("a", { class: "button", href: "/results" }, "All runs")]));
  }

  await poll(apiAddress(id), signal, tell, fail);
}

function files(run) {
  const row = ({ name, bytes: size, what }) => el("li", {}, el("a", { href: `${apiAddress(run.id)}/files/${encodeURIComponent(name)}`, download: name }, name), el("span", { class: "number quiet" }, ` ${bytes(size)} `), what);
  return el("ul", { class: "files" }, run.files.map(row));
}

function commands(run) {
  return el("dl", {}, run.commands.map(([words, command]) => [el("dt", {}, words), el("dd", {}, el("code", {}, command))]));
}
