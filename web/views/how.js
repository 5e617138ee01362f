// How it works: the overview with a guide to choosing, and a chapter for each technique and each question around them.
//
//   /api/transports + web/transports/<id>.js (lesson) -> a technique's chapter       how/chapters.js -> the others
//   /api/wire/<id> -> its bytes now                  /api/results -> what it cost in the newest finished run

import { el, fragment } from "../lib/dom.js";
import { get } from "../lib/api.js";
import { problem } from "../lib/states.js";
import { server } from "../lib/server.js";
import { chapters } from "../how/chapters.js";
import { choose, pros } from "../how/choose.js";
import * as extras from "../how/extras.js";
import { sequence } from "../how/sequence.js";
import { wire } from "../how/wire.js";
import { list, p, table } from "../how/words.js";

const styled = new Promise((done) => {
  document.head.append(el("link", { rel: "stylesheet", href: "/web/how/how.css", onload: done, onerror: done }));
});

export async function show({ root, path: [id], signal }) {
  await Promise.all([styled, server.ready]);
  const known = await Promise.all(server.transports.map(async (one, place) => {
    const { lesson } = await import(`/web/transports/${one.id}.js`).catch(() => ({}));
    return lesson?.fit && { ...one, place, lesson };
  }));
  if (signal.aborted) return;
  const taught = known.filter(Boolean);
  const link = (to, label, place) => el("a", { href: to ? `/how/${to}` : "/how", class: place === undefined ? null : `own k${place}`, "aria-current": (to ?? "") === (id ?? "") ? "page" : null }, label);
  const article = el("article");
  root.replaceChildren(el("div", { class: "book" },
    el("nav", { "aria-label": "Chapters" }, el("ul", {},
      el("li", {}, link(undefined, "Overview")), taught.map((one) => el("li", {}, link(one.id, one.label, one.place))),
      Object.entries(chapters).map(([to, { title }]) => el("li", {}, link(to, title))))), article));
  const width = article.clientWidth;
  const technique = taught.find((one) => one.id === id);
  if (!id) overview(article, taught);
  else if (technique) lessonOf(article, technique, width, signal);
  else if (Object.hasOwn(chapters, id)) chapter(article, chapters[id], width, signal);
  else article.append(problem("No such chapter", `There is no chapter “${id}”; they are listed beside.`));
  if (id) document.title = `${article.querySelector("h1, h2").textContent} · ${document.title}`;
}

function overview(article, taught) {
  const yes = (value) => (value ? "yes" : "no");
  const rows = {
    "How an update comes": (one) => one.summary,
    "The client sends on it": (one) => yes(one.duplex),
    "Continues after a break": (one) => yes(one.resumable),
    "Browsers": (one) => one.browser_support,
    "What surprises": (one) => one.caveat,
    "Use it for": (one) => one.lesson.use,
  };
  article.append(el("h1", {}, "How it works"),
    p("In HTTP the browser asks and the server answers. Each technique is a way to hear of something new all the same, with a price of its own. Open one to see it step by step, and the bytes this server sends now."),
    el("h2", { id: "choose" }, "Which one?"), choose(taught),
    p("A rule of thumb, not a measurement: run your own rate, size and number of clients with `cargo run --release -- run`."),
    el("h2", {}, "Side by side"),
    table("Techniques side by side", taught.map((one) => el("th", { scope: "col" }, el("a", { href: `/how/${one.id}`, class: `own k${one.place}` }, one.label))),
      Object.entries(rows).map(([name, cell]) => el("tr", {}, el("th", { scope: "row" }, name), taught.map((one) => el("td", {}, cell(one)))))));
}

function lessonOf(article, { id, label, place, summary, lesson }, width, signal) {
  const [good, bad] = pros(lesson);
  const run = el("div", {}, p("…"));
  article.append(el("h1", { class: `own k${place}` }, label), p(`${summary} Use it for ${lesson.use}`),
    el("div", { class: `k${place}` }, sequence(label, lesson.steps, width, signal)),
    el("div", { class: "columns" }, [["What speaks for it", good], ["What speaks against it", bad], ["Limits of browsers and proxies", lesson.limits]].map(([title, texts]) => el("section", {}, el("h2", {}, title), list(texts)))),
    el("h2", {}, "The bytes of this server, now"),
    p("This server's own client, with a browser's headers, recorded on its way."), wire(id, signal),
    el("h2", {}, "What it cost in the newest run"), run);
  cost(id, signal).then((nodes) => run.replaceChildren(...nodes), (error) => {
    if (!signal.aborted) run.replaceChildren(p(`The runs could not be read: ${error.message}.`));
  });
}

/** The figures at a glance of the newest finished run with this transport. */
async function cost(id, signal) {
  if (!server.offers("results")) return [p("This server shows no runs.")];
  const { runs } = await get("/api/results", { signal });
  const newest = runs.find((run) => run.status === "finished" && run.transports?.includes(id));
  if (!newest) return [p(`No run yet: \`cargo run --release -- run --transport ${id}\` measures it.`)];
  const told = await get(`/api/results/${encodeURIComponent(newest.id)}`, { signal });
  const glance = el("div", {}, fragment(told.blocks.find((block) => block.kind === "glance")?.html ?? "It has no figures."));
  // Rendered as in the report; what scrolls in itself must be reached by keyboard.
  for (const box of glance.querySelectorAll(".table")) [box.tabIndex, box.role] = [0, "region"];
  return [el("p", {}, el("a", { href: `/results/${encodeURIComponent(newest.id)}` }, newest.title ?? newest.id), newest.verdict ? [" ", el("span", { class: `badge ${newest.verdict.toLowerCase()}` }, newest.verdict)] : ""), glance];
}

function chapter(article, { title, text = "", steps, lists = {}, more }, width, signal) {
  article.append(el("h1", {}, title), p(text), steps ? sequence(title, steps, width, signal) : "",
    ...Object.entries(lists).flatMap(([name, texts]) => [el("h2", {}, name), texts.length > 1 ? list(texts) : p(texts[0])]),
    ...(more ? extras[more](signal).flat() : []));
}
