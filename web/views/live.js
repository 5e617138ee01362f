// The race: the same updates over every technique, each over a connection of its own from this browser.
//
//   /api/transports -> a lane each (live/lanes.js, transports/<id>.js) -> picture at frame rate, figures four times a second
//   the address (?interval, topic, mode, path) <-> live/controls.js

import { el } from "../lib/dom.js";
import { time } from "../lib/format.js";
import { server } from "../lib/server.js";
import { waiting } from "../lib/states.js";
import { Clock } from "../live/clock.js";
import { controls, settings } from "../live/controls.js";
import { Costs } from "../live/cost.js";
import { Crowds } from "../live/crowd.js";
import { Lane } from "../live/lanes.js";
import { Known } from "../live/ledger.js";
import { Panel, quantile } from "../live/panel.js";
import { Picture } from "../live/picture.js";

const FIGURES_MS = 250;
/** The lanes open once the page stands: to build it is no latency of theirs. */
const OPEN_MS = 300;
/** With reduced motion the picture steps instead of running. */
const STEP_MS = 1_000;
const SAY_MS = 10_000;
/** A lane's thread that comes later than this to what it has to do is told of: the browser is the limit then. */
const HELD_MS = 100;
const SLOW = "slow-reader";

export async function show({ root, query, signal }) {
  root.append(waiting("asking the server …"));
  await Promise.all([style("/web/live/live.css"), server.ready]);
  const modules = await Promise.all(server.transports.map(({ id }) => import(`../transports/${id}.js`).catch(() => ({}))));
  const clock = new Clock();
  await clock.start(signal);
  if (signal.aborted) return;

  const race = { clock, known: new Known(), costs: new Costs(server, signal), server, settings: settings(query, server), start_us: clock.now_us(), ...period(clock) };
  race.late = (ms) => (race.held_ms = Math.max(race.held_ms, ms));
  const lanes = server.transports.map((description, place) => new Lane(description, place, race, modules[place]));
  const anew = () => {
    Object.assign(race, period(clock));
    for (const lane of lanes) lane.ledger.clear(race.since_us);
  };
  clock.stepped = anew;
  const problems = el("p", { class: "problems", role: "alert" });
  const problem = (words) => (problems.textContent = words);
  const crowds = new Crowds(server, problem, signal);
  const rows = lanes.map((lane) => {
    const crowd = crowds.row(lane.description);
    const panel = new Panel(lane, actions(lane, crowd, anew), crowd.words);
    return { lane, panel, picture: new Picture(panel.canvas, lane) };
  });
  // What is paused is not drawn, and would stay blank: it is renewed when it goes on.
  const renew = () => stopped(paused) || rows.forEach(({ picture }) => picture.renew());
  const paused = pressed("Pause", () => renew());
  const set = controls(race.settings, server, {
    problem,
    fed: () => {
      anew();
      if (!race.costs.complete) race.costs.look();
    },
    changed: (key) => {
      const other = key === "topic" || key === "mode";
      if (other) race.known.clear();
      for (const lane of lanes) lane.reopen({ anew: other });
      anew();
      renew();
    },
    buttons: [paused, el("button", { type: "button", onclick: anew, title: "Figures from now on" }, "Reset figures")],
  }, signal);
  const says = Object.fromEntries(["basis", "period", "spoken", "back", "end"].map((name) => [name, el("span", { class: "number" })]));
  says.silent = el("p", { class: "notice empty silent", hidden: true }, "The feed is silent: no update is due. Choose more than 0 updates/s, where the server lets you.");
  root.replaceChildren(...layout(rows, says, [set.element, problems, says.silent], crowds.server_line));

  server.addEventListener("restart", async () => {
    await clock.again(signal);
    Object.assign(race.settings, settings(new URLSearchParams(race.settings), server));
    set.show();
    race.costs.again();
    for (const lane of lanes) lane.reopen();
  }, { signal });
  document.addEventListener("visibilitychange", () => { race.hidden ||= document.hidden; renew(); }, { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", renew, { signal });
  const sizes = new ResizeObserver(renew);
  rows.forEach(({ panel }) => sizes.observe(panel.canvas));
  signal.addEventListener("abort", () => sizes.disconnect());
  run(race, rows, says, paused, signal);
  setTimeout(() => {
    anew();
    for (const lane of lanes) lane.start(signal);
  }, OPEN_MS);
}

/** What the figures are told with, from now on. */
const period = (clock) => ({ since_us: clock.now_us(), held_ms: 0, hidden: document.hidden });

function layout(rows, says, above, machine) {
  const small = (...words) => el("p", { class: "small quiet" }, words);
  return [
    el("h1", {}, `One feed, ${rows.length} ways to your browser`),
    el("p", { class: "lead" }, "Each strip shows real connections of this page. An update is due at the server (upper edge) and arrives here (lower edge); the line between is its delay. ",
      el("span", { class: "quiet" }, "Upright: at once. Slanted: it waited. A ring above: due, and not here yet. Larger: a goal.")),
    ...above,
    el("div", { class: "race" }, rows.map(({ panel }) => panel.row), el("p", { class: "axis small quiet", "aria-hidden": "true" }, says.back, says.end)), machine,
    el("h2", { class: "later" }, "Figures of the last ", says.period),
    small("Since the last change of the settings. Latency counts from when an update was due to when its lane's thread had it, on the server's clock. In brackets: polls left out because one was under way, updates superseded in mode latest, updates lost by a reset."),
    el("div", { class: "table", role: "region", tabindex: "0", "aria-label": "Figures of each technique" }, el("table", {}, el("thead", {}, Panel.head()), el("tbody", {}, rows.map(({ panel }) => panel.line)))),
    Panel.meanings(),
    small(says.basis),
    small("Every technique asks at a port of its own, because a browser opens about six HTTP/1.1 connections to one origin and a stream keeps one: ", el("a", { href: "/how/blocking" }, "how it works"), "."),
    el("p", { class: "only-read", "aria-live": "polite" }, says.spoken),
  ];
}

/** Paints until the view ends: the picture at frame rate, figures more seldom, words for those who listen more seldom still. */
function run(race, rows, says, paused, signal) {
  const still = matchMedia("(prefers-reduced-motion: reduce)");
  let [painted, said, drawn] = [-Infinity, performance.now(), -Infinity];
  const frame = (at) => {
    if (signal.aborted) return;
    requestAnimationFrame(frame);
    const figures = at - painted >= FIGURES_MS;
    const now_us = race.clock.now_us();
    if (stopped(paused)) {
      tell(says.end, "paused; the connections go on");
      if (!figures) return;
      painted = at;
      for (const { lane, panel } of rows) panel.stand(lane.ledger.freshness(now_us));
      return;
    }
    tell(says.end, "now");
    if (still.matches && at - drawn < STEP_MS) return;
    drawn = at;
    for (const { lane, panel, picture } of rows) {
      const freshness = lane.ledger.freshness(now_us);
      picture.draw(now_us, freshness);
      if (figures) panel.paint(now_us, freshness);
    }
    if (!figures) return;
    painted = at;
    says.silent.hidden = race.server.stats.feed.rate_hz !== 0 && race.server.stats.topics.length > 0;
    tell(says.period, time(now_us - race.since_us));
    tell(says.back, `${(rows[0]?.picture.span_s ?? 0).toFixed(1)} s ago`);
    tell(says.basis, facts(race));
    if (at - said < SAY_MS) return;
    said = at;
    tell(says.spoken, leading(rows));
  };
  requestAnimationFrame(frame);
}

const stopped = (paused) => paused.getAttribute("aria-pressed") === "true";

function actions(lane, crowd, anew) {
  const { label } = lane.description;
  const able = lane.race.server.page.paths.some(({ id }) => id === SLOW);
  const slow = pressed("Slow reader", (on) => {
    lane.path_id = on ? SLOW : null;
    lane.reopen();
    anew();
  });
  slow.disabled = !able;
  slow.setAttribute("aria-label", `${label}: slow reader`);
  slow.title = "Takes nothing for 3 of every 4 seconds";
  const cut = el("button", { type: "button", onclick: () => lane.cut(), "aria-label": `${label}: cut the connection`, title: "Closes the connection; two seconds later it resumes from the cursor" }, "Cut");
  return [cut, slow, crowd.add, crowd.end];
}

function pressed(words, act) {
  const button = el("button", { type: "button", "aria-pressed": "false", onclick: () => {
    const on = button.getAttribute("aria-pressed") !== "true";
    button.setAttribute("aria-pressed", String(on));
    act(on);
  } }, words);
  return button;
}

/** What the figures rest on. */
function facts({ clock, costs, hidden, held_ms }) {
  return [
    clock.bound_us === null ? "The server's clock is not known." : `The server's clock is known to ± ${time(clock.bound_us)} (half of the shortest round trip, and the browser's clock in steps of ${time(clock.step_us)}): smaller differences are not seen here.`,
    `Bytes per update: ${costs.complete ? "bodies counted here + heads and framing as this server's own client sends and gets them from its own origin (this page's requests to other ports carry some 140 B more: Origin and its answer)" : "bodies only, without heads and framing"}; TCP and IP headers are not in it.`,
    "Each lane is read and timed on a thread of its own. What the browser does before stays in it: where it was measured, some 0.4 ms for a push, 3 ms for an answer, and 1 to 2 ms more for a push to several lanes at once. A client of bench-client run has none of it.",
    held_ms > HELD_MS ? `The browser, or its machine, was busy for up to ${time(held_ms * 1_000)}: what came meanwhile was late.` : "",
    hidden ? "This tab was hidden meanwhile: a browser may slow what it does, so polls may have come late." : "",
  ].join(" ");
}

function leading(rows) {
  const [{ lane: { ledger, race } }] = rows;
  const { newest } = ledger;
  if (!newest) return "No update yet.";
  const score = `${newest.home} ${newest.home_score}, ${newest.away} ${newest.away_score}.`;
  if (race.settings.mode === "latest") return score;
  return `${score} Typical delay: ${rows.map(({ lane }) => `${lane.description.label} ${quantile(lane, 0.5)}`).join(", ")}.`;
}

function tell(node, words) {
  if (node.textContent !== words) node.textContent = words;
}

/** A style sheet of the view, once; ends when it is there. */
function style(href) {
  if (document.querySelector(`link[href="${href}"]`)) return Promise.resolve();
  return new Promise((done) => document.head.append(el("link", { rel: "stylesheet", href, onload: done, onerror: done })));
}
