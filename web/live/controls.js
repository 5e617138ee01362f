// What can be set: of the way from the server to here (for everyone), and of the feed itself (where the server lets its page).
//
//   a select -> settings -> the address of the page, so that it can be passed on -> lanes open anew
//   a select -> POST /api/demo/feed -> everyone's feed

import { el } from "../lib/dom.js";
import { send } from "../lib/api.js";
import { bytes } from "../lib/format.js";

const INTERVALS_MS = [100, 250, 500, 1_000, 2_000, 5_000];
const INTERVAL_MS = { least: 50, most: 60_000, usual: 1_000 };
const RATES_HZ = [0, 0.5, 1, 5, 20, 100, 500, 1_000];
const PAYLOADS = [null, 256, 512, 1_024, 4_096, 16_384];
const MODES = [["every", "every update"], ["latest", "only the newest"]];

/** The settings an address asks for; what it asks wrongly is as if it were not there. */
export function settings(query, server) {
  const one = (key, known, usual) => (known.includes(query.get(key)) ? query.get(key) : usual);
  const interval = Number(query.get("interval") ?? NaN);
  const topics = server.stats.topics.map(({ topic }) => topic);
  return {
    interval: interval >= INTERVAL_MS.least && interval <= INTERVAL_MS.most ? Math.round(interval) : INTERVAL_MS.usual,
    topic: one("topic", ["all", ...topics], topics[0] ?? "all"),
    mode: one("mode", MODES.map(([id]) => id), "every"),
    path: one("path", server.page.paths.map(({ id }) => id), server.page.paths[0]?.id ?? "direct"),
  };
}

/** `changed(key)`: the settings were changed there; `fed()`: the feed was; `problem(words)`. */
export function controls(values, server, { changed, fed, problem, buttons }, signal) {
  const select = (id, words, act, more = {}) => {
    const box = el("select", { id: `set-${id}`, onchange: () => act(box.value), ...more });
    return [box, el("p", { class: "field" }, el("label", { for: box.id }, words), box)];
  };
  const set = (key, value) => {
    values[key] = value;
    const query = new URLSearchParams(values);
    history.replaceState(null, "", `${location.pathname}?${query}`);
    changed(key);
  };
  const change = async (body) => {
    try {
      await send("POST", "/api/demo/feed", body, server.page.token, { signal });
      problem("");
      fed();
    } catch (error) {
      if (error.name === "AbortError") return;
      problem(`The feed stays as it is: ${error.message}.`);
      rate.dataset.key = payload.dataset.key = ""; // They show what is, not what was asked.
    }
    await server.look();
  };
  const [rate, rate_field] = select("rate", "Updates/s", (value) => change({ rate_hz: Number(value) }));
  const [payload, payload_field] = select("payload", "Size of an update", (value) => change({ update_bytes: value ? Number(value) : null }));
  const [interval, interval_field] = select("interval", "Polls every", (value) => set("interval", Number(value)));
  const [path, path_field] = select("path", "Path to here", (value) => set("path", value));
  const [topic, topic_field] = select("topic", "Match", (value) => set("topic", value));
  const [mode, mode_field] = select("mode", "Mode", (value) => set("mode", value));
  const note = el("p", { class: "small quiet note" });

  const options = (box, list, value) => {
    const all = list.some(([id]) => String(id ?? "") === String(value ?? "")) ? list : [...list, [value, String(value)]];
    const key = JSON.stringify([all, value]);
    // An open list must not change under the hand.
    if (box.dataset.key === key) return;
    box.dataset.key = key;
    box.replaceChildren(...all.map(([id, words]) => el("option", { value: id ?? "" }, words)));
    box.value = value ?? "";
  };
  const show = () => {
    const { feed, topics } = server.stats;
    const paths = server.page.paths;
    const fixed = feed.rate_hz === null ? "A replay or recording keeps its own pace and sizes." : null;
    const demo = server.offers("demo") ? null : "Rate, size, delay and crowds: start the server with --demo, as in cargo run --release -- serve --demo.";
    options(rate, RATES_HZ.map((hz) => [hz, hz === 0 ? "0 (silent)" : hz.toLocaleString("en")]), feed.rate_hz ?? "–");
    options(payload, PAYLOADS.map((size) => [size, size === null ? "as it comes" : bytes(size)]), feed.update_bytes);
    options(interval, INTERVALS_MS.map((ms) => [ms, `${ms.toLocaleString("en")} ms`]), values.interval);
    options(path, paths.filter(({ stall_ms, id }) => stall_ms === 0 || id === values.path).map(({ id, label }) => [id, label]), values.path);
    options(topic, [...topics.map((each) => [each.topic, `${each.home} – ${each.away}`]), ["all", "all matches"]], values.topic);
    options(mode, MODES, values.mode);
    rate.disabled = payload.disabled = Boolean(demo ?? fixed);
    path.disabled = paths.length < 2;
    note.textContent = demo ?? fixed ?? "";
  };
  server.addEventListener("change", show, { signal });
  show();
  return { show, element: el("form", { class: "controls", "aria-label": "Settings of the race", onsubmit: (event) => event.preventDefault() },
    rate_field, payload_field, interval_field, path_field, topic_field, mode_field, el("p", { class: "actions" }, buttons), note) };
}
