// Recorded runs: a list, one in depth, or several laid over each other, as the address says.
//
//   /results -> results/list.js     /results/<id> -> results/run.js     /results/overlay?run=A&run=B -> results/overlay.js

import { get } from "../lib/api.js";
import { el } from "../lib/dom.js";
import { empty } from "../lib/states.js";
import { server } from "../lib/server.js";

export async function show(where) {
  const [first] = where.path;
  const name = first === undefined ? "list" : first === "overlay" ? "overlay" : "run";
  const address = `/api/results${{ list: "", run: `/${encodeURIComponent(first)}`, overlay: `/overlay${location.search}` }[name]}`;
  // Asked for while the modules come.
  const early = get(address, where).catch((error) => error);
  const [view] = await Promise.all([import(`../results/${name}.js`), styled(), server.ready]);
  if (where.signal.aborted) return;
  if (!server.offers("results")) {
    where.root.append(el("h1", {}, "Results"), empty("This server shows no runs", "It was started alone, without the folder of results. This one shows them:", [
      el("code", {}, "cargo run --release -- serve --demo"),
    ]));
    return;
  }
  await view.show({ ...where, id: first, address, early });
}

let sheet;
/** Ends when the rules of these views hold, so that nothing moves when they come. */
function styled() {
  sheet ??= new Promise((done) => {
    document.head.append(el("link", { rel: "stylesheet", href: "/web/results/results.css", onload: done, onerror: done }));
  });
  return sheet;
}
