// What the chapters add to their words: the cost of a connection counted, the handshake computed, a frame's bits.

import { el } from "../lib/dom.js";
import { count, time } from "../lib/format.js";
import { server } from "../lib/server.js";
import { frame, messages, text, unbase64 } from "./parse.js";
import { record } from "./wire.js";

const GUID = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11";
/** "Hello" as a client sends it: the example of RFC 6455, 5.7. */
const KEY = [0x37, 0xfa, 0x21, 0x3d];
const hex = (bytes) => [...bytes].map((byte) => byte.toString(16).padStart(2, "0")).join(" ");
const base64 = (bytes) => btoa(String.fromCharCode(...bytes));
const input = (label, value, oninput) => el("p", {}, el("label", {}, label, " ", el("input", { value, oninput, maxlength: 60, size: 32, spellcheck: "false", autocomplete: "off" })));
const told = (signal, state, asked) => asked.catch((error) => { if (!signal.aborted) state.textContent = `Nothing was recorded: ${error.message}.`; });
const waits = (words) => el("p", { class: "small quiet", role: "status" }, words);
const duplex = () => server.transports.find((one) => one.duplex);

export function connections(signal) {
  const id = server.transports.find((one) => one.delivery === "poll")?.id;
  const state = waits("Recording both ways …");
  const body = el("tbody");
  const table = el("div", { class: "table" }, el("table", {}, el("caption", { class: "only-read" }, "Both ways, recorded now"),
    el("thead", {}, el("tr", {}, ["", "requests", "connections", "handshakes took", "TCP segments"].map((name) => el("th", { scope: "col", class: name && "right" }, name)))), body));
  for (const words of ["kept alive", "one a request"]) body.append(el("tr", {}, el("th", { scope: "row" }, words), ["…", "…", "…", "…"].map((dots) => el("td", { class: "right" }, dots))));
  told(signal, state, (async () => {
    for (const [i, keep] of [true, false].entries()) {
      const answer = await record(id, signal, `?keep_alive=${keep}`);
      const made = answer.connections;
      const requests = made.flatMap(messages).filter(({ from }) => from === "client").length;
      const cells = [count(requests), count(made.length), time(made.reduce((sum, one) => sum + one.connect_us, 0)), count(answer.tcp && answer.tcp.segments_sent + answer.tcp.segments_received)];
      [...body.rows[i].cells].slice(1).forEach((cell, j) => { cell.textContent = cells[j]; });
    }
    state.textContent = "Over loopback, where a round trip takes microseconds; over a mobile network each handshake takes 50 ms and more.";
  })());
  return [el("h2", {}, "Counted on this server now"), table, state];
}

export function handshake(signal) {
  const rows = ["the key", "+ the GUID", "SHA-1 of that, 20 bytes", "in base64"].map((name) => [name, el("dd", { class: "mono" }, "…")]);
  const state = waits("Recording a handshake …");
  async function compute(key, told) {
    const digest = new Uint8Array(await crypto.subtle.digest("SHA-1", new TextEncoder().encode(key + GUID)));
    [key, key + GUID, hex(digest), base64(digest)].forEach((words, i) => { rows[i][1].textContent = words; });
    if (told) state.textContent = told === base64(digest) ? `This server answered ${told}: the same.` : `This server answered ${told}: not the same!`;
    else state.textContent = /^[\w+/]{22}==$/.test(key) ? "A key of 16 bytes." : "A server refuses this key: it must be 16 bytes in base64.";
  }
  const field = input("Key (type another)", "dGhlIHNhbXBsZSBub25jZQ==", (event) => compute(event.target.value));
  const box = field.querySelector("input");
  if (!crypto.subtle) return [waits("Browsers compute digests on secure pages alone: open this page at localhost or 127.0.0.1.")];
  compute(box.value);
  told(signal, state, record(duplex()?.id, signal).then((answer) => {
    const lines = answer.connections.flatMap(messages).flatMap(({ parts }) => parts.map(({ bytes }) => text(bytes).trim()));
    const header = (name) => lines.find((line) => line.toLowerCase().startsWith(`${name}: `))?.slice(name.length + 2);
    box.value = header("sec-websocket-key");
    return compute(box.value, header("sec-websocket-accept"));
  }));
  return [el("h2", {}, "Computed before your eyes"), field, el("dl", { class: "compute" }, rows.map(([name, value]) => [el("dt", {}, name), value])), state];
}

export function frames(signal) {
  const mine = el("div");
  const theirs = el("div", {}, waits("Recording a frame of this server …"));
  const masked = (words) => {
    const payload = new TextEncoder().encode(words);
    const length = payload.length < 126 ? [payload.length] : [126, payload.length >> 8, payload.length & 255];
    mine.replaceChildren(bits(new Uint8Array([0x81, 0x80 | length[0], ...length.slice(1), ...KEY, ...payload.map((byte, i) => byte ^ KEY[i % 4])])));
  };
  masked("Hello");
  told(signal, theirs, record(duplex()?.id, signal).then((answer) => {
    const { bytes } = answer.connections[0].chunks.filter(({ from }) => from === "server").map((chunk) => ({ bytes: unbase64(chunk.base64) })).find(({ bytes }) => bytes[0] === 0x81) ?? {};
    theirs.replaceChildren(bytes ? bits(bytes) : waits("No update came within three seconds."));
  }));
  return [el("h2", {}, "A frame of this server, now"), theirs, el("h2", {}, "A frame as a client sends it"), input("Text", "Hello", (event) => masked(event.target.value)), mine];
}

/** The bits of the first two bytes, then the other parts; what has the focus is explained below. */
function bits(bytes) {
  const { bits, parts } = frame(bytes);
  const note = el("p", { class: "tip small", "aria-hidden": "true" }, bits[0][3]);
  const cell = (name, value, tip) => {
    const tell = () => { note.textContent = `${name}: ${tip}`; };
    return el("button", { type: "button", class: "bits", onfocus: tell, onmouseenter: tell, onclick: tell }, el("b", {}, name), el("code", {}, value), el("span", { class: "only-read" }, tip));
  };
  const rest = parts.slice(1).map(({ bytes, tip }) => cell(/^The (longer )?(\w+ ?\w*)/.exec(tip)[2].replace(/ (in|Unmasked)$/, ""), hex(bytes.subarray(0, 24)) + (bytes.length > 24 ? " …" : ""), tip));
  return el("div", {}, el("div", { class: "frame" }, bits.map(([value, width, name, tip]) => cell(name, value.toString(2).padStart(width, "0"), tip)), rest), note);
}
