// Short texts with a little notation: `code`, and names of standards, which become links to the section named.

import { el } from "../lib/dom.js";

const OTHER = { "WHATWG HTML, 9.2": "https://html.spec.whatwg.org/multipage/server-sent-events.html", "WHATWG WebSockets": "https://websockets.spec.whatwg.org/", "W3C WebTransport": "https://www.w3.org/TR/webtransport/" };
const MARKS = new RegExp(`(\`[^\`]+\`|RFC \\d{4}(?:, [\\d.]*\\d)?|${Object.keys(OTHER).join("|")})`);

/** Nodes for `el()`. */
export function words(text) {
  return text.split(MARKS).map((part) => {
    if (part.startsWith("`")) return el("code", {}, part.slice(1, -1));
    const [, number, section] = /^RFC (\d+)(?:, (.+))?$/.exec(part) ?? [];
    const href = number ? `https://www.rfc-editor.org/rfc/rfc${number}${section ? `#section-${section}` : ""}` : OTHER[part];
    return href ? el("a", { href }, part) : part;
  });
}

export const p = (text) => el("p", {}, words(text));
export const list = (texts) => el("ul", {}, texts.map((text) => el("li", {}, words(text))));

/** A table that scrolls in itself, and is reached by keyboard. */
export const table = (name, head, body) => el("div", { class: "table", tabindex: 0, role: "region", "aria-label": name }, el("table", {}, el("thead", {}, el("tr", {}, el("td"), head)), el("tbody", {}, body)));
