// Elements made in code. Text is always text: nothing here reads markup, except `fragment`, which takes what this server rendered.

/** `el("button", {type: "button", class: "x", onclick}, "words", child)`; null, undefined and false children are left out. */
export function el(name, properties = {}, ...children) {
  return fill(document.createElement(name), properties, children);
}

/** The same for SVG. */
export function svg(name, properties = {}, ...children) {
  return fill(document.createElementNS("http://www.w3.org/2000/svg", name), properties, children);
}

function fill(element, properties, children) {
  for (const [key, value] of Object.entries(properties)) {
    if (value === undefined || value === null || value === false) continue;
    if (key.startsWith("on")) element.addEventListener(key.slice(2), value);
    else element.setAttribute(key, value === true ? "" : value);
  }
  element.append(...children.flat(Infinity).filter((child) => child !== null && child !== undefined && child !== false));
  return element;
}

const TAGS = new Set(
  "a abbr b blockquote br caption code col colgroup dd del details div dl dt em h2 h3 h4 h5 hr i img li ol p pre s section span strong sub summary sup table tbody td tfoot th thead tr ul".split(" "),
);
const ATTRIBUTES = new Set("href title class id colspan rowspan scope src alt width height loading start open align data-value aria-sort aria-label aria-hidden".split(" "));

/** What this server rendered of a record (escaped there), held to a list of elements and attributes once more. */
export function fragment(html) {
  const parsed = new DOMParser().parseFromString(html, "text/html");
  for (const node of [...parsed.body.querySelectorAll("*")]) {
    if (!TAGS.has(node.localName)) {
      node.replaceWith(...(["script", "style", "template", "iframe"].includes(node.localName) ? [] : node.childNodes));
      continue;
    }
    for (const { name, value } of [...node.attributes]) {
      const leads = name === "href" || name === "src";
      if (!ATTRIBUTES.has(name) || (leads && !/^(https?:\/\/|\/|#|\.\/|data:image\/svg\+xml;base64,|[\w.-]+(\/|#|$))/.test(value))) node.removeAttribute(name);
    }
  }
  const made = document.createDocumentFragment();
  made.append(...parsed.body.childNodes);
  return made;
}
