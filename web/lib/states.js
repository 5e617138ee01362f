// What a view shows when there is nothing to show: empty, waiting, broken. One look for all.

import { el } from "./dom.js";

/** `actions`: elements, such as a button. */
export function problem(title, words, actions = []) {
  return notice("problem", title, words, actions);
}

export function empty(title, words, actions = []) {
  return notice("empty", title, words, actions);
}

export function waiting(words) {
  return el("p", { class: "waiting", role: "status" }, words);
}

function notice(kind, title, words, actions) {
  return el("section", { class: `notice ${kind}` }, el("h2", {}, title), el("p", {}, words), actions.length ? el("p", { class: "actions" }, actions) : null);
}
