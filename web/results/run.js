// One run: its verdict and the reasons first, then figures, charts, and everything else the report says, in its order.
//
//   GET /api/results/<id> (every 2 s while it is running) -> blocks, each filled in a task of its own, and again where it changed

import { el } from "../lib/dom.js";
import { bytes, unescaped } from "../lib/format.js";
import { problem, waiting } from "../lib/states.js";
import { breath, place, refill } from "./blocks.js";
import { cards } from "./cards.js";
import { poll, speaker } from "./poll.js";
import { apiAddress, badge, progress, standing } from "./words.js";

/** What stands below the report's own blocks. */
const BELOW = [
  { id: "files", title: "Files", open: true, make: files },
  { id: "again", title: "How to run it again", open: true, make: commands },
];

export async function show({ root, id, ...asking }) {
  const { signal } = asking;
  const title = el("h1");
  const state = el("p", { class: "state" });
  const growing = el("div");
  const spoken = el("p", { class: "only-read", role: "status" });
  const say = speaker(spoken);
  const contents = el("nav", { class: "contents", "aria-label": "On this page" });
  const body = el("div", { class: "blocks" });
  const content = el("div", {}, waiting("reading the run …"));
  const charts = cards(signal);
  const blocks = new Map();
  let shown = null;
  let filling = Promise.resolve();
  root.append(el("p", { class: "back" }, el("a", { href: "/results" }, "← All runs")), content, spoken);
  content.addEventListener("click", follow);

  /** Links within the run open what is folded; the address keeps them, the history does not grow. */
  function follow(event) {
    const link = event.target.closest("a[href^='#']");
    if (!link) return;
    event.preventDefault();
    history.replaceState(null, "", link.hash);
    reach(link.hash);
  }

  function reach(hash) {
    const target = document.getElementById(unescaped(hash.slice(1)));
    if (!target || !body.contains(target)) return;
    target.closest("details")?.setAttribute("open", "");
    target.tabIndex = -1;
    target.scrollIntoView();
    target.focus({ preventScroll: true });
  }

  function tell(run) {
    const running = run.status === "running";
    growing.replaceChildren(...(running && run.progress ? [progress(run.progress)] : []));
    if (run.version !== shown?.version || run.status !== shown.status) {
      if (shown) say(running ? `${run.progress?.rows_done} rows are done` : `The run has ended: ${standing(run)}`);
      else content.replaceChildren(title, state, growing, contents, body);
      shown = run;
      head(run);
      filling = filling.then(() => fill(run));
    }
    return running;
  }

  function head(run) {
    document.title = `${run.title} · Results`;
    title.textContent = run.title;
    state.replaceChildren(badge(standing(run)), el("span", { class: "quiet small" }, run.id));
    const named = [...run.blocks, ...BELOW].filter((block) => block.title);
    contents.replaceChildren(...named.map((block) => el("a", { href: `#${encodeURIComponent(block.id)}` }, block.title)));
  }

  async function fill(run) {
    const first = blocks.size === 0;
    const list = [...run.blocks, ...BELOW];
    for (const [at, block] of list.entries()) {
      const key = `${block.kind} ${block.id} ${block.open}`;
      const made = blocks.get(key) ?? place(block);
      blocks.set(key, made);
      if (body.children[at] !== made.element) body.insertBefore(made.element, body.children[at] ?? null);
      if (block.kind === "charts") {
        if (!made.body.firstChild) made.body.append(charts.element);
        await charts.update(run.charts, run.legend);
      } else if (block.make) made.body.replaceChildren(...block.make(run, made.body));
      else refill(made, block.html, id);
      await breath();
      if (signal.aborted) return;
    }
    while (body.children.length > list.length) body.lastChild.remove();
    if (first && location.hash) reach(location.hash);
  }

  function fail(error) {
    if (shown) growing.replaceChildren(el("p", { class: "stale" }, `${error.message}; this is what was known`));
    else content.replaceChildren(problem("This run could not be read", error.message));
  }

  await poll(asking, tell, fail);
}

/** Histograms are many: they fold. */
function files({ id, files: all }, before) {
  const row = ({ name, bytes: size, what }) =>
    el("li", {}, el("a", { href: `${apiAddress(id)}/files/${name.split("/").map(encodeURIComponent).join("/")}`, download: true }, name), el("span", { class: "quiet" }, ` ${bytes(size)} `), what);
  const [own, deeper] = [false, true].map((deep) => el("ul", {}, all.filter(({ name }) => name.includes("/") === deep).map(row)));
  const open = before.querySelector("details")?.open;
  return deeper.firstChild ? [own, el("details", { open }, el("summary", {}, "Histograms"), deeper)] : [own];
}

function commands(run) {
  return [el("dl", {}, run.commands.flatMap(([words, command]) => [el("dt", {}, words), el("dd", {}, el("code", {}, command))]))];
}
