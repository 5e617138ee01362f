// What is shown of a lane: its row in the picture, and its row in the table of figures. Repainted a few times a second at most.

import { el } from "../lib/dom.js";
import { bytes, count, percent, time } from "../lib/format.js";
import { bars } from "./picture.js";
import { SLOT_US } from "./ledger.js";

/** The axis of the small charts: both logarithmic, the same for all lanes. */
const FROM_US = 100, TO_US = 10_000_000;

/** Columns of the table: [words, what they mean, value(ledger, freshness, lane)]. */
const COLUMNS = [
  ["p50", "Half of the updates came within this time, from due to here", (l, f, lane) => quantile(lane, 0.5)],
  ["p95", "95 of 100 came within this time", (l, f, lane) => quantile(lane, 0.95)],
  ["p99", "99 of 100 came within this time", (l, f, lane) => quantile(lane, 0.99)],
  ["requests", "Heads sent; in brackets the polls left out because one was under way", (l) => count(l.requests) + brackets(l.skipped)],
  ["bytes/update", "See the basis below", (l, f, lane) => bytes(lane.race.costs.per_update(lane.id, l))],
  ["updates", "Received, those of the first state and of a catch-up too", (l) => count(l.updates)],
  ["missed", "Gaps in the count of a topic; in brackets those that a newer one superseded, in mode latest", (l) => count(l.missed) + brackets(l.superseded)],
  ["duplicates", "Updates received twice", (l) => count(l.duplicates)],
  ["resets", "The server could not go on from the cursor, and said so; in brackets the updates lost by that", (l) => count(l.resets) + brackets(l.lagged)],
  ["age", "Time since the newest update held was due, on average", (l, f) => time(f.age_mean_us)],
  ["stale", "Share of the time in which a due update was not here", (l, f) => percent(f.stale_share)],
  ["caught up", "Updates that were due while there was no connection, and the longest any waited", (l) => count(l.caught.count) + (l.caught.count ? `, ${time(l.caught.max_us)}` : "")],
];

const LAST = ["last 30 s", "The shortest and the longest latency of each quarter of a second"];
const SPREAD = ["spread", "How latencies are spread, 0.1 ms to 10 s"];

const brackets = (value) => (value ? ` (${count(value)})` : "");

/** A latency of what was received alone would flatter who jumps over the most. */
export function quantile(lane, share) {
  if (lane.race.settings.mode === "latest") return "–";
  const us = lane.ledger.latency.quantile(share);
  return us === Infinity ? "lost" : us === -1 ? "< 0" : time(us);
}

function lacking({ behind, over, stale_us }) {
  const least = over ? "over " : "";
  return behind ? `lacks ${least}${count(behind)}, for ${least}${time(stale_us)}` : "";
}

export class Panel {
  #texts = new Map();

  /** `crowd`: words about the crowd beside the lane. */
  constructor(lane, actions, crowd) {
    this.lane = lane;
    const { label, summary } = lane.description;
    const id = `lane-${lane.id}`;
    const part = (name, tag = "span", more = {}) => (this[name] = el(tag, { class: name, ...more }));
    this.canvas = el("canvas", { role: "img", "aria-label": `${label}: each update from when it was due, above, to when it came here, below` });
    this.row = el("section", { class: `lane k${lane.place}`, "aria-labelledby": id },
      el("div", { class: "who" },
        el("h2", { id, title: summary }, label), part("state"),
        el("p", { class: "score" }, part("home"), part("goals", "b", { class: "goals number" }), part("away")),
        part("event", "p")),
      el("div", { class: "strip" }, el("span", { class: "edge", "aria-hidden": "true" }, el("i", {}, "due"), el("i", {}, "here")), this.canvas),
      el("div", { class: "result" }, part("typical", "b", { class: "typical number" }), part("unit", "span"), part("lacks", "p", { class: "lacks number" })),
      el("div", { class: "acts" }, actions, part("more", "p", { class: "more small quiet" }), crowd));
    this.spark = el("canvas", { class: "small-chart", role: "img", "aria-label": `${label}: latency over the last half minute` });
    this.shape = el("canvas", { class: "small-chart", role: "img", "aria-label": `${label}: how latencies are spread, 0.1 ms to 10 s` });
    this.cells = COLUMNS.map(() => el("td", { class: "right" }, "–"));
    this.line = el("tr", { class: `k${lane.place}` }, el("th", { scope: "row" }, el("span", { class: "key", "aria-hidden": "true" }), label),
      this.cells.slice(0, 3), el("td", {}, this.spark), el("td", {}, this.shape), this.cells.slice(3));
  }

  static head() {
    const name = (side) => ([words, meaning]) => el("th", { scope: "col", class: side, title: meaning }, words);
    return el("tr", {}, el("th", { scope: "col" }, "technique"), COLUMNS.slice(0, 3).map(name("right")), [LAST, SPREAD].map(name(null)), COLUMNS.slice(3).map(name("right")));
  }

  /** In words what the columns are, for who has no pointer to rest on a head. */
  static meanings() {
    const all = [...COLUMNS.slice(0, 3), LAST, SPREAD, ...COLUMNS.slice(3)];
    return el("details", { class: "small meanings" }, el("summary", {}, "What the columns mean"), el("dl", {}, all.map(([words, meaning]) => [el("dt", {}, words), el("dd", {}, meaning)])));
  }

  /** Text is set where it differs: an unchanged figure costs no layout. */
  #say(node, text) {
    if (this.#texts.get(node) === text) return;
    this.#texts.set(node, text);
    node.textContent = text;
  }

  /** How the connection stands: told while the rest is paused, too. */
  stand(freshness) {
    const state = this.lane.shown(freshness.stale_us);
    if (this.row.dataset.state !== state) this.row.dataset.state = state;
    this.#say(this.state, state);
    this.#say(this.more, this.#more(state));
  }

  paint(now_us, freshness) {
    this.stand(freshness);
    const { lane } = this;
    const { ledger } = lane;
    const { newest } = ledger;
    this.#say(this.home, newest?.home ?? "");
    this.#say(this.away, newest?.away ?? "");
    this.#say(this.goals, newest ? `${newest.home_score} : ${newest.away_score}` : "– : –");
    this.#say(this.event, newest ? `${newest.minute}′ ${newest.event.replaceAll("_", " ")} ${newest.player}` : "no update yet");
    const latest = lane.race.settings.mode === "latest";
    this.#say(this.typical, latest ? time(freshness.age_mean_us) : quantile(lane, 0.5));
    this.#say(this.unit, latest ? "mean age" : "typical delay (p50)");
    this.#say(this.lacks, lacking(freshness) || (newest ? "has the newest" : ""));
    // Unbroken, but for what stands in brackets.
    COLUMNS.forEach(([, , value], index) => this.#say(this.cells[index], value(ledger, freshness, lane).replace(/ (?!\()/g, "\u00a0")));
    this.#charts(now_us);
  }

  #more(state) {
    const { lane } = this;
    const words = [];
    if (state === "stalled") words.push(lane.race.server.state === "gone" ? "the server does not answer" : "nothing comes, though another lane got more");
    if (lane.in_step) words.push("polls and updates keep step here: every update waits alike, between 0 and one interval, by chance");
    if (lane.words) words.push(lane.words);
    if (lane.port === null) words.push(`it shares the page's port, without a delay on the path: ${location.hostname.startsWith("[")
      ? "an address of IPv6 has no lanes of its own: open the page by 127.0.0.1 or a name"
      : "its own cannot be reached; after a restart of the server, reload the page"}`);
    if (lane.ledger.latency.negative) words.push(`${count(lane.ledger.latency.negative)} came before they were due, within what is known of the clock`);
    return words.join(" · ");
  }

  #charts(now_us) {
    const { latency, slots } = this.lane.ledger;
    const height = (us) => Math.min(1, Math.max(0, Math.log(us / FROM_US) / Math.log(TO_US / FROM_US)));
    const newest = Math.floor(now_us / SLOT_US);
    const spark = new Array(slots.size).fill(null);
    for (let k = slots.first; k < slots.count; k++) {
      const at = k % slots.size;
      const back = newest - slots.numbers[at];
      if (back >= 0 && back < slots.size) spark[slots.size - 1 - back] = [height(slots.lows[at]), height(slots.highs[at])];
    }
    bars(this.spark, spark);
    const shape = latency.bars(FROM_US, TO_US);
    const most = Math.max(1, ...shape);
    bars(this.shape, shape.map((many) => (many ? [0, many / most] : null)));
  }
}
