// A few questions that end in a choice. What speaks for and against a technique stands in its own module, as lesson.fit:
// ["question=answer …", points, reason]; all answers named must have been given.

import { el } from "../lib/dom.js";
import { list, words } from "./words.js";

const QUESTIONS = [
  ["sends", "Does the client send, too?", { no: "hardly", some: "now and then", often: "several times a second" }],
  ["stale", "How old may what is shown be?", { now: "as fresh as can be", second: "a second", lax: "many seconds" }],
  ["rate", "How often is there an update?", { some: "about one a second", fast: "many a second", rare: "a few a minute" }],
  ["need", "Which updates must arrive?", { every: "every one", latest: "the newest is enough" }],
  ["path", "What is on the way?", { plain: "nothing special", strict: "proxies that buffer or block" }],
  ["clients", "How many at once?", { few: "up to thousands", many: "tens of thousands" }],
];

/** What speaks for it, and what against; each reason once. */
export function pros({ fit }) {
  return [1, -1].map((sign) => [...new Set(fit.filter(([, points]) => points * sign > 0).map(([, , reason]) => reason))]);
}

/** `known`: [{id, label, place, lesson}] */
export function choose(known) {
  const result = el("div", { class: "choice card" });
  const form = el("form", { onchange: decide, onsubmit: (event) => event.preventDefault() }, QUESTIONS.map(([name, question, answers]) =>
    el("fieldset", {}, el("legend", {}, question), Object.entries(answers).map(([value, label], i) =>
      el("label", {}, el("input", { type: "radio", name, value, checked: i === 0 }), ` ${label}`)))));
  function decide() {
    const given = new Set(Array.from(new FormData(form), (answer) => answer.join("=")));
    const ranked = known.map((one) => {
      const reasons = one.lesson.fit.filter(([when]) => when.split(" ").every((one) => given.has(one)));
      return { ...one, reasons, points: reasons.reduce((sum, [, points]) => sum + points, 0) };
    }).sort((a, b) => b.points - a.points);
    const [first, second] = ranked;
    const [good, bad] = pros({ fit: first.reasons });
    result.replaceChildren(el("h3", {}, "Take ", el("a", { href: `/how/${first.id}`, class: `own k${first.place}` }, first.label)),
      list(good), ...(bad.length ? [el("p", {}, "The price:"), list(bad)] : []),
      second ? el("p", { class: "small quiet" }, words(second.points === first.points ? `${second.label} fits as well.` : `Next: ${second.label}. ${pros({ fit: second.reasons })[1][0] ?? ""}`)) : "");
  }
  decide();
  return el("div", { class: "choose" }, form, el("div", { "aria-live": "polite" }, result));
}
