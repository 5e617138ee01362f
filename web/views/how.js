// See web/README.md.

import { el } from "../lib/dom.js";

export async function show({ root }) {
  root.append(el("h1", {}, "how"));
}
