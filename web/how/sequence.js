// A moving sequence diagram of client and server, made from a script of one line a step; the same steps stand as a list beside it.
//
//   "> words" client to server   "< words" back   "* words" happens at the server   "= words" the server holds
//   "- words" time passes        "x words" the connection breaks

import { el, svg } from "../lib/dom.js";

const KINDS = { ">": ["arrow", "Client to server: "], "<": ["arrow", "Server to client: "], "*": ["event", "At the server: "], "=": ["held", "At the server: "], "-": ["gap", "Then: "], x: ["cut", ""] };
const ROW = 36;
const TOP = 30;
const STEP_MS = 1_100;
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** `name` says what is shown; `width` is what there is; ends with `signal`. */
export function sequence(name, script, width, signal) {
  const w = Math.min(640, Math.max(300, width));
  const [left, right, height] = [30, w - 30, TOP + 10 + script.length * ROW];
  const rows = script.map((line, i) => row(line[0], line.slice(2), TOP + i * ROW, left, right));
  const items = script.map((line) => el("li", {}, KINDS[line[0]][1] + line.slice(2)));
  let at = still.matches ? script.length : 0;
  let timer = 0;

  function go(to, { play: playing = false } = {}) {
    clearTimeout(timer);
    timer = playing && to <= script.length && !signal.aborted ? setTimeout(() => go(at + 1, { play: true }), STEP_MS / speed.value) : 0;
    const moved = to === at + 1;
    at = Math.max(0, Math.min(script.length, to));
    rows.forEach(({ group }, i) => group.classList.toggle("shown", i < at));
    items.forEach((item, i) => item.classList.toggle("now", i === at - 1));
    if (moved && !still.matches) rows[at - 1]?.move?.(STEP_MS * 0.7 / speed.value);
    play.textContent = timer ? "Pause" : "Play";
    [back.disabled, forward.disabled] = [at === 0, at === script.length];
  }
  const button = (text, onclick) => el("button", { type: "button", onclick }, text);
  const play = button("Play", () => (timer ? go(at) : go(at === script.length ? 0 : at + 1, { play: true })));
  const back = button("Back", () => go(at - 1));
  const forward = button("Step", () => go(at + 1));
  const speed = el("select", { "aria-label": "Speed" }, [0.5, 1, 2].map((x) => el("option", { value: x, selected: x === 1 }, `${x}×`)));
  signal.addEventListener("abort", () => clearTimeout(timer));
  go(at, { play: !still.matches });
  return el("figure", { class: "sequence" },
    svg("svg", { viewBox: `0 0 ${w} ${height}`, width: w, height, "aria-hidden": "true" },
      [["client", left], ["server", right]].map(([who, x]) => svg("g", {}, svg("text", { x, y: 16, class: "who" }, who), svg("line", { x1: x, x2: x, y1: 24, y2: height, class: "life" }))),
      rows.map(({ group }) => group)),
    el("figcaption", {}, el("div", { class: "actions", role: "group", "aria-label": name }, play, back, forward, speed), el("ol", { class: "small" }, items)));
}

function row(kind, text, y, left, right) {
  const middle = (left + right) / 2;
  const label = (x, y, side = "middle") => svg("text", { x, y, class: side }, text);
  const group = (...parts) => svg("g", { class: `step ${KINDS[kind][0]}` }, ...parts);
  if (kind === "*") return { group: group(svg("circle", { cx: right, cy: y + 16, r: 6 }), label(right - 14, y + 20, "end")) };
  if (kind === "=") return { group: group(svg("rect", { x: right - 5, y: y + 2, width: 10, height: ROW - 6, rx: 4 }), label(right - 14, y + 20, "end")) };
  if (kind === "-" || kind === "x") return { group: group(svg("line", { x1: left, x2: right, y1: y + 24, y2: y + 24 }), label(middle, y + 17)) };
  const [from, to] = kind === ">" ? [left, right] : [right, left];
  const tip = to + Math.sign(from - to) * 10;
  const line = svg("line", { x1: from, y1: y + 18, x2: to, y2: y + 28, pathLength: 1, "stroke-dasharray": 1 });
  const dot = svg("circle", { r: 5, cx: to, cy: y + 28, opacity: 0 });
  return {
    group: group(line, svg("path", { d: `M${to} ${y + 28}L${tip} ${y + 22.5}L${tip} ${y + 32.5}Z` }), dot, label(middle, y + 13)),
    move(duration) {
      line.animate([{ strokeDashoffset: 1 }, { strokeDashoffset: 0 }], duration);
      dot.animate([{ opacity: 1, transform: `translate(${from - to}px, -10px)` }, { opacity: 1, transform: "none" }], duration);
    },
  };
}
