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
import { Cost } from "../live/cost.js";
import { Crowds } from "../live/crowd.js";
import { Lane } from "../live/lanes.js";
import { Known } from "../live/ledger.js";
import { Panel, quantile } from "../live/panel.js";
import { Picture } from "../live/picture.js";

const FIGURES_MS = 250;
/** With reduced motion the picture steps instead of running. */
const STEP_MS = 1_000;
const SAY_MS = 10_000;
/** A frame later than this is told: the page is the limit then. */
const HELD_MS = 100;
const SLOW = "slow-reader";

export async function show({ root, query, signal }) {
  root.append(waiting("asking the server …"));
  await Promise.all([style("/web/live/live.css"), server.ready]);
  const modules = await Promise.all(server.transports.map(({ id }) => import(`../transports/${id}.js`).catch(() => ({}))));
  const clock = new Clock();
  await clock.start(signal);
  if (signal.aborted) return;

  const race = { clock, known: new Known(), server, settings: settings(query, server), start_us: clock.now_us() };
  const follows = modules.map(({ follow }) => follow ?? (async () => { throw new Error("this page has no client for it"); }));
  const lanes = server.transports.map((description, place) => new Lane(description, place, race, follows[place], signal));
  const problems = el("p", { class: "problems", role: "alert" });
  const problem = (words) => (problems.textContent = words);
  const crowds = new Crowds(server, problem, signal);
  let [since_us, held_ms] = [clock.now_us(), 0];
  const anew = () => {
    since_us = clock.now_us();
    held_ms = 0;
    for (const lane of lanes) lane.ledger.clear(since_us);
  };
  const rows = lanes.map((lane) => {
    lane.cost = new Cost();
    if (server.offers("wire")) lane.cost.look(lane.id, signal);
    const panel = new Panel(lane, actions(lane, crowds, anew));
    panel.row.querySelector(".acts").append(lane.crowd.words);
    return { lane, panel, picture: new Picture(panel.canvas, lane) };
  });

  const paused = pressed("Pause", () => rows.forEach(({ picture }) => picture.renew()));
  const set = controls(race.settings, server, {
    problem,
    fed: anew,
    changed: (key) => {
      const other = key === "topic" || key === "mode";
      if (other) race.known.clear();
      if (other) race.known.offset_max = 0;
      lanes.forEach((lane) => lane.reopen({ anew: other }));
      anew();
      rows.forEach(({ picture }) => picture.renew());
    },
    buttons: [paused, el("button", { type: "button", onclick: anew, title: "Figures from now on" }, "Reset figures")],
  }, signal);

  const basis = el("p", { class: "small quiet" });
  const period = el("span", { class: "number period" });
  const spoken = el("p", { class: "only-read", "aria-live": "polite" });
  const silent = el("p", { class: "notice empty silent", hidden: true }, "The feed is silent: no update is due. Choose more than 0 updates/s, where the server lets you.");
  const [back, end] = [el("span", { class: "number" }), el("span", {}, "now")];
  const axis = el("p", { class: "axis small quiet", "aria-hidden": "true" }, back, end);
  root.replaceChildren(
    el("h1", {}, `One feed, ${lanes.length} ways to your browser`),
    el("p", { class: "lead" }, "Each strip shows real connections of this page. An update is due at the server (upper edge) and arrives here (lower edge); the line between is its delay. ",
      el("span", { class: "quiet" }, "Upright: at once. Slanted: it waited. A ring above: due, and not here yet. Larger: a goal.")),
    set.element, problems, silent,
    el("div", { class: "race" }, rows.map(({ panel }) => panel.row), axis), crowds.server_line,
    el("h2", { class: "later" }, "Figures"),
    el("p", { class: "small quiet" }, "Since the last change of the settings: ", period, ". Latency counts from when an update was due to when this page had it, on the server's clock. In brackets: polls left out because one was under way, updates superseded in mode latest, updates lost by a reset."),
    el("div", { class: "table", role: "region", tabindex: "0", "aria-label": "Figures of each technique" }, el("table", {}, el("thead", {}, Panel.head()), el("tbody", {}, rows.map(({ panel }) => panel.line)))),
    basis,
    el("p", { class: "small quiet" }, "Every technique asks at a port of its own, because a browser opens about six HTTP/1.1 connections to one origin and a stream keeps one: ", el("a", { href: "/how" }, "how it works"), "."),
    spoken);

  server.addEventListener("restart", async () => {
    await clock.again(signal);
    Object.assign(race.settings, settings(new URLSearchParams(race.settings), server));
    set.show();
    for (const lane of lanes) {
      lane.reopen();
      if (server.offers("wire")) lane.cost.look(lane.id, signal);
    }
  }, { signal });

  let hidden = document.hidden;
  const renew = () => rows.forEach(({ picture }) => picture.renew());
  document.addEventListener("visibilitychange", () => { hidden ||= document.hidden; before = null; renew(); }, { signal });
  matchMedia("(prefers-color-scheme: dark)").addEventListener("change", renew, { signal });
  const sizes = new ResizeObserver(renew);
  rows.forEach(({ panel }) => sizes.observe(panel.canvas));
  signal.addEventListener("abort", () => sizes.disconnect());
  const still = matchMedia("(prefers-reduced-motion: reduce)");

  let [painted, said, drawn, before] = [-Infinity, performance.now(), -Infinity, null];
  const frame = (at) => {
    if (signal.aborted) return;
    requestAnimationFrame(frame);
    held_ms = Math.max(held_ms, before === null || document.hidden ? 0 : at - before);
    before = at;
    const stopped = paused.getAttribute("aria-pressed") === "true";
    tell(end, stopped ? "paused; the connections go on" : "now");
    if (stopped || (still.matches && at - drawn < STEP_MS)) return;
    drawn = at;
    const figures = at - painted >= FIGURES_MS;
    if (figures) painted = at;
    const now_us = clock.now_us();
    for (const { lane, panel, picture } of rows) {
      const freshness = lane.ledger.freshness(now_us);
      picture.draw(now_us, freshness);
      if (figures) panel.paint(now_us, freshness);
    }
    if (!figures) return;
    silent.hidden = server.stats.feed.rate_hz !== 0 && server.stats.topics.length > 0;
    tell(period, time(now_us - since_us));
    tell(back, `${(rows[0]?.picture.span_s ?? 0).toFixed(1)} s ago`);
    tell(basis, facts(clock, lanes, hidden, held_ms));
    if (at - said >= SAY_MS) {
      said = at;
      tell(spoken, leading(rows));
    }
  };
  requestAnimationFrame(frame);
}

function actions(lane, crowds, anew) {
  const { label } = lane.description;
  lane.crowd = crowds.row(lane.description);
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
  return [cut, slow, lane.crowd.add, lane.crowd.end];
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
function facts(clock, lanes, hidden, held_ms) {
  const recorded = lanes.every(({ cost }) => cost.wire);
  return [
    clock.bound_us === null ? "The server's clock is not known." : `The server's clock is known to ± ${time(clock.bound_us)} (half of the shortest round trip, and the browser's clock in steps of ${time(clock.step_us)}): smaller differences are not seen here.`,
    `Bytes per update: ${recorded ? "bodies counted here + heads and framing as recorded on the wire" : "bodies only, without heads and framing"}; TCP and IP headers are not in it.`,
    held_ms > HELD_MS ? `This page, or its machine, was busy for up to ${time(held_ms * 1_000)}: what came meanwhile was late in every lane.` : "",
    hidden ? "This tab was hidden meanwhile: browsers slow the timers of hidden tabs, so polls came late." : "",
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
