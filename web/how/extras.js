// What some chapters add to their words: the cost of connections counted, the handshake computed, frames bit by bit.

import { el } from "../lib/dom.js";
import { count, time } from "../lib/format.js";
import { server } from "../lib/server.js";
import { frame, messages, text } from "./parse.js";
import { explained, hexed, record, segments, wire } from "./wire.js";
import { table } from "./words.js";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
const input = (label, value, told) => el("p", {}, el("label", {}, label, " ", el("input", { value, oninput: (event) => told(event.target.value), size: 32, maxlength: 999, spellcheck: "false", autocomplete: "off" })));
const waits = (words) => el("p", { class: "small quiet", role: "status" }, words);
const failed = (state) => (error) => { state.textContent = `Nothing was recorded: ${error.message}.`; };
const framed = () => server.transports.find((one) => one.duplex)?.id;

export function connections(signal) {
  const state = waits("Recording both ways …");
  const rows = ["kept alive", "one a request"].map((name) => el("tr", {}, el("th", { scope: "row" }, name), Array.from("····", (dot) => el("td", { class: "right" }, dot))));
  async function fill() {
    const { id } = server.transports.find((one) => one.delivery === "poll");
    for (const [i, row] of rows.entries()) {
      const answer = await record(id, signal, `?keep_alive=${i === 0}`);
      const made = answer.connections;
      const requests = made.flatMap(messages).filter(({ from }) => from === "client").length;
      [count(requests), count(made.length), time(made.reduce((total, one) => total + one.connect_us, 0)), count(segments(answer))].forEach((words, j) => { row.cells[j + 1].textContent = words; });
    }
    state.textContent = "Over loopback a round trip takes microseconds; over a mobile network often 50 ms and more.";
  }
  fill().catch(failed(state));
  return [el("h2", {}, "Counted on this server now"), table("Connections counted", ["requests", "connections", "connecting took", "TCP segments"].map((name) => el("th", { scope: "col", class: "right" }, name)), rows), state];
}

export function handshake(signal) {
  const rows = ["key", "key + GUID", "SHA-1 of that", "in base64: Sec-WebSocket-Accept"].map((name) => [el("dt", {}, name), el("dd", {}, "…")]);
  const state = waits("Recording a handshake …");
  if (!crypto.subtle) return [waits("Browsers compute digests on secure pages alone: open this page at localhost or 127.0.0.1.")];
  async function compute(key, told) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(key + GUID)));
    const accept = btoa(String.fromCharCode(...digest));
    [key, key + GUID, hexed(digest), accept].forEach((words, i) => { rows[i][1].textContent = words; });
    state.textContent = told ? `This server answered ${told}: ${told === accept ? "the same" : "not the same"}.`
      : /^[A-Za-z0-9+/]{21}[AQgw]==$/.test(key) ? "A server accepts this key: 16 bytes." : "A server refuses this key: it is not 16 bytes in base64.";
  }
  const field = input("Key: the recorded one, or type another", "", compute);
  record(framed(), signal).then((answer) => {
    const heads = answer.connections.flatMap(messages).map(({ parts }) => parts.map(({ bytes }) => text(bytes)).join("")).join("");
    const header = (name) => new RegExp(`^sec-websocket-${name}: (.*?)\r?$`, "im").exec(heads)[1];
    field.querySelector("input").value = header("key");
    return compute(header("key"), header("accept"));
  }).catch(failed(state));
  return [el("h2", {}, "Computed before your eyes"), field, el("dl", { class: "compute" }, rows.flat()), state];
}

export function frames(signal) {
  const typed = el("div", { class: "recording" });
  const show = (words) => {
    const payload = new TextEncoder().encode(words);
    const key = crypto.getRandomValues(new Uint8Array(4));
    const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
    const bytes = new Uint8Array([0x81, 0x80 | length[0], ...length.slice(1), ...key, ...payload.map((byte, i) => byte ^ key[i % 4])]);
    typed.replaceChildren(...explained([{ from: "client", ...frame(bytes) }], true));
  };
  show("Hello");
  return [el("h2", {}, "Type what a client sends"), input("Text", "Hello", show), typed, el("h2", {}, "Frames of this server, now"), wire(framed(), signal)];
}
