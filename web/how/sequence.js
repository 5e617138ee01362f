// A moving sequence diagram of client and server, made from a script of one line a step; the same steps stand as a list beside it.
//
//   "> words" client to server   "< words" back   "* words" happens at the server   "= words" the server holds
//   "- words" time passes        "x words" the connection breaks

import { el, svg } from "../lib/dom.js";

const KINDS = { ">": "Client to server: ", "<": "Server to client: ", "*": "At the server: ", "=": "The server waits: ", "-": "Time passes: ", x: "" };
const ROW = 38;
const STEP_MS = 1_100;
const still = matchMedia("(prefers-reduced-motion: reduce)");

/** `name` says what is shown; `width` is what there is; ends with `signal`. */
export function sequence(name, script, width, signal) {
  const steps = script.map((line) => ({ kind: line[0], text: line.slice(2) }));
  const w = Math.min(640, Math.max(300, width));
  const [left, right] = [34, w - 34];
  const height = 44 + steps.length * ROW;
  const rows = steps.map((step, i) => row(step, 44 + i * ROW, left, right));
  const picture = svg("svg", { viewBox: `0 0 ${w} ${height}`, width: w, height, "aria-hidden": "true" },
    ...[["client", left], ["server", right]].flatMap(([who, x]) => [
      svg("text", { x, y: 14, "text-anchor": "middle", class: "who" }, who),
      svg("line", { x1: x, x2: x, y1: 22, y2: height, class: "life" }),
    ]), ...rows.map((one) => one.group));
  const items = steps.map((step) => el("li", {}, KINDS[step.kind] + step.text));
  let at = still.matches ? steps.length : 0;
  let timer = 0;

  function draw(moving) {
    rows.forEach(({ group }, i) => group.classList.toggle("shown", i < at));
    items.forEach((item, i) => item.classList.toggle("now", i === at - 1 && at < steps.length));
    if (moving && at && !still.matches) rows[at - 1].move?.(STEP_MS * 0.7 / speed.value);
    play.textContent = timer ? "Pause" : "Play";
    forward.disabled = at === steps.length;
    back.disabled = at === 0;
  }
  function step(by, moving = by > 0) {
    at = Math.max(0, Math.min(steps.length, at + by));
    draw(moving);
  }
  function run() {
    timer = 0;
    if (at < steps.length && !signal.aborted) {
      timer = setTimeout(run, STEP_MS / speed.value);
      step(1);
    } else draw();
  }
  const halt = () => { clearTimeout(timer); timer = 0; };
  const button = (text, onclick) => el("button", { type: "button", onclick }, text);
  const play = button("Play", () => {
    if (timer) { halt(); return draw(); }
    if (at === steps.length) at = 0;
    run();
  });
  const back = button("Back", () => { halt(); step(-1); });
  const forward = button("Step", () => { halt(); step(1); });
  const speed = el("select", { "aria-label": "Speed" }, [0.5, 1, 2].map((x) => el("option", { value: x, selected: x === 1 }, `${x}×`)));
  signal.addEventListener("abort", halt);
  draw();
  if (!still.matches) timer = setTimeout(run, 400);
  return el("figure", { class: "sequence" },
    el("div", { class: "picture" }, picture),
    el("figcaption", {}, el("div", { class: "actions", role: "group", "aria-label": name }, play, back, forward, speed), el("ol", { class: "small" }, items)));
}

function row({ kind, text }, y, left, right) {
  const middle = (left + right) / 2;
  const label = (x, anchor, at = y + 10) => svg("text", { x, y: at, "text-anchor": anchor }, text);
  const group = (...parts) => ({ group: svg("g", { class: `step is-${kind === ">" || kind === "<" ? "arrow" : { "*": "event", "=": "held", "-": "gap", x: "cut" }[kind]}` }, ...parts) });
  if (kind === "*") return group(svg("circle", { cx: right, cy: y + 14, r: 6 }), label(right - 14, "end", y + 18));
  if (kind === "=") return group(svg("rect", { x: right - 5, y: y - 6, width: 10, height: ROW, rx: 4 }), label(right - 14, "end", y + 16));
  if (kind === "-" || kind === "x") return group(svg("line", { x1: left, x2: right, y1: y + 22, y2: y + 22 }), label(middle, "middle", y + 15));
  const [from, to] = kind === ">" ? [left, right] : [right, left];
  const tip = to + Math.sign(from - to) * 9;
  const line = svg("line", { x1: from, y1: y + 16, x2: to, y2: y + 26, pathLength: 1, "stroke-dasharray": 1 });
  const dot = svg("circle", { r: 5, cx: to, cy: y + 26 });
  const made = group(line, svg("path", { d: `M${to} ${y + 26}L${tip} ${y + 20.5}L${tip} ${y + 30.5}Z` }), dot, label(middle, "middle"));
  made.move = (duration) => {
    line.animate([{ strokeDashoffset: 1 }, { strokeDashoffset: 0 }], { duration });
    dot.animate([{ transform: `translate(${from - to}px, -10px)` }, { transform: "none" }], { duration });
  };
  return made;
}
