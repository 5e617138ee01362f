// The page: reads its address, shows one of three views, and keeps the server's state in the header.
//
//   address -> VIEWS -> import(views/<id>.js) -> show({root, path, query, signal})
//   /api/page, /api/transports, /api/stats -> lib/server.js -> the header, and every view that listens
//
// A view ends when its signal is aborted. Links within the page change the address without loading it anew.

import { el } from "./lib/dom.js";
import { unescaped } from "./lib/format.js";
import { problem, waiting } from "./lib/states.js";
import { server } from "./lib/server.js";

const VIEWS = { live: "Live", results: "Results", how: "How it works" };
const NAME = "Real-time transport lab";
const root = document.getElementById("view");
let leave = new AbortController();

/** Goes to an address of the page; a view calls it too. `replace` leaves no step in the history. */
export function go(address, { replace = false } = {}) {
  history[replace ? "replaceState" : "pushState"](null, "", address);
  show();
}

async function show() {
  leave.abort();
  leave = new AbortController();
  const { signal } = leave;
  const [first, ...rest] = location.pathname.split("/").filter(Boolean).map(unescaped);
  const id = Object.hasOwn(VIEWS, first ?? "") ? first : "live";
  for (const link of document.querySelectorAll("nav [data-view]")) {
    if (link.dataset.view === id) link.setAttribute("aria-current", "page");
    else link.removeAttribute("aria-current");
  }
  document.title = `${VIEWS[id]} · ${NAME}`;
  try {
    const view = await import(`./views/${id}.js`);
    if (signal.aborted) return;
    root.replaceChildren();
    root.className = `view-${id}`;
    await view.show({ root, path: rest, query: new URLSearchParams(location.search), signal });
  } catch (error) {
    if (signal.aborted) return;
    console.warn(error);
    root.replaceChildren(problem("This view could not be shown", error.message, [
      el("button", { type: "button", onclick: show }, "Try again"),
    ]));
  }
}

/** Clicks on links of this page are ours, unless another tab or a file is meant. */
function follow(event) {
  const link = event.target.closest?.("a[href]");
  const plain = event.button === 0 && !event.ctrlKey && !event.metaKey && !event.shiftKey && !event.altKey;
  if (!link || !plain || event.defaultPrevented || link.target || link.hasAttribute("download")) return;
  const to = new URL(link.href);
  const view = to.pathname.split("/")[1];
  if (to.origin !== location.origin || (view !== "" && !Object.hasOwn(VIEWS, view))) return;
  event.preventDefault();
  if (to.hash && to.pathname === location.pathname && to.search === location.search) return reach(to.hash);
  go(to.pathname + to.search + to.hash);
  scrollTo(0, 0);
  root.focus({ preventScroll: true });
}

/** To a place within the view; the address stays, for a step in the history would build the view anew. */
function reach(hash) {
  const place = document.getElementById(unescaped(hash.slice(1)));
  if (!place) return;
  place.tabIndex = -1;
  place.focus({ preventScroll: true });
  place.scrollIntoView();
}

function header() {
  const box = document.getElementById("server");
  const words = document.getElementById("server-words");
  const why = waiting("");
  server.addEventListener("change", () => {
    const { state, sentence } = server;
    if (box.dataset.state !== state) box.dataset.state = state;
    if (words.textContent !== sentence) words.textContent = sentence;
    // Every view waits for what the server offers: until that is known its words stand in the view's place.
    if (server.page) return why.remove();
    if (why.textContent !== sentence) why.textContent = sentence;
    if (!why.isConnected) root.replaceChildren(why);
  });
}

addEventListener("popstate", show);
document.addEventListener("click", follow);
header();
server.start();
show();
