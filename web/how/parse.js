// Recorded bytes -> messages of named parts. What stands here is read off the bytes alone: HTTP heads (RFC 9112), chunks and events, or,
// behind a 101, WebSocket frames (RFC 6455). A message: {at_us, from, title, parts: [{bytes, tip, data}]}; `data` carries updates.

const decoder = new TextDecoder();
export const text = (bytes) => decoder.decode(bytes);
export const unbase64 = (words) => Uint8Array.from(atob(words), (sign) => sign.charCodeAt(0));

const HEADERS = {
  host: "which site is meant; many share an address. Every HTTP/1.1 request has it (RFC 9112, 3.2).",
  accept: "the media types the client can use.",
  "user-agent": "which browser. Sent again with every request.",
  "accept-encoding": "how an answer may be compressed.",
  referer: "the page that asks.",
  origin: "the site of the page that asks. A server must check it here: no same-origin policy does.",
  connection: "keep-alive: more requests may follow; close: this is the last; upgrade: another protocol follows.",
  upgrade: "the protocol this connection is to speak from here on.",
  "sec-websocket-key": "16 random bytes in base64. The answer must prove that it was read.",
  "sec-websocket-version": "13 is the only one in use.",
  "sec-websocket-accept": "the digest of key and GUID: no cache and no other server answers so by accident.",
  "content-type": "what the body is; text/event-stream is what EventSource asks for.",
  "content-length": "bytes of the body: where the answer ends, and the next may begin.",
  "transfer-encoding": "chunked: the length is not known yet. Each chunk says its own (RFC 9112, 7.1).",
  "cache-control": "no-store: nobody on the way may keep the answer.",
  "x-accel-buffering": "tells nginx and its kin to pass on what comes at once.",
  etag: "names the state. Sent back as If-None-Match, it is answered 304 while nothing is new.",
  "last-event-id": "the last id the client had: the stream goes on behind it.",
  date: "when the server answered.",
};
const FIELDS = {
  retry: "retry: how many ms a browser waits before it connects again.",
  event: "event: which listener gets it; without it, “message”.",
  data: "data: what the page is handed. Several data lines would be joined by line breaks.",
  id: "id: kept by the browser, and said in Last-Event-ID when it reconnects.",
  "": "A comment: keeps the connection from looking idle.",
};
export const OPCODES = { 0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" };

/** The messages of a connection, in order of time. */
export function messages(connection) {
  const sides = ["client", "server"].map((from) => ({ from, chunks: connection.chunks.filter((chunk) => chunk.from === from).map((chunk) => ({ ...chunk, bytes: unbase64(chunk.base64) })) }));
  return sides.flatMap(side).sort((a, b) => a.at_us - b.at_us);
}

function side({ from, chunks }) {
  const all = new Uint8Array(chunks.reduce((sum, { bytes }) => sum + bytes.length, 0));
  const starts = [];
  let end = 0;
  for (const { bytes, at_us } of chunks) {
    all.set(bytes, end);
    starts.push([end, at_us]);
    end += bytes.length;
  }
  const made = [];
  let at = 0;
  const take = (to) => all.subarray(at, (at = Math.min(to, end)));
  const push = (title, parts, began) => made.push({ from, title, parts, at_us: starts.findLast(([start]) => start <= began)[1] });
  const line = () => { const found = all.indexOf(10, at); return found < 0 ? end : found + 1; };
  let framed = false;
  let upgrades = false;
  while (at < end) {
    const began = at;
    if (framed) {
      const head = frame(all.subarray(at));
      push(`${OPCODES[head.opcode] ?? "frame"} frame`, head.parts.map((part) => ({ ...part, bytes: take(at + part.bytes.length) })), began);
      continue;
    }
    const parts = [];
    const headers = {};
    for (let first = true; at < end; first = false) {
      const bytes = take(line());
      const words = text(bytes).trimEnd();
      const name = words.split(":")[0].toLowerCase();
      if (!first) headers[name] = words.slice(name.length + 1).trim().toLowerCase();
      parts.push({ bytes, tip: first ? (from === "client" ? "Method, target and version: everything the server needs is in the address." : "Version, status and its words.") : words ? `${name}: ${(HEADERS[name] ?? "sent by browsers with every request; the feed needs none of it.").replace(/^.*?:: /, "")}` : "An empty line: the head ends here." });
      if (!words) break;
    }
    const title = text(parts[0].bytes).trim();
    upgrades = "upgrade" in headers;
    const chunked = headers["transfer-encoding"] === "chunked";
    if (headers["content-length"]) {
      const body = take(at + Number(headers["content-length"]));
      parts.push({ bytes: body, tip: "The body: updates since the cursor, and the cursor to ask with next.", data: text(body).includes('"seq"') });
    }
    push(title, parts, began);
    framed = upgrades;
    while (chunked && at < end) chunk();
  }
  return made;

  function chunk() {
    const began = at;
    const size = take(line());
    const length = parseInt(text(size), 16);
    const parts = [{ bytes: size, tip: `Size of the chunk, in hexadecimal: ${length} bytes.` }];
    const stop = Math.min(at + length, end);
    while (at < stop) {
      const bytes = take(Math.min(line(), stop));
      const field = /^\w*/.exec(text(bytes))[0];
      parts.push({ bytes, data: field === "data", tip: bytes[0] === 10 ? "An empty line: the event is complete, and handed out." : FIELDS[field] ?? "A field browsers pass over." });
    }
    parts.push({ bytes: take(at + 2), tip: "Ends the chunk." });
    const kind = /event: (\w+)/.exec(parts.map(({ bytes }) => text(bytes)).join(""));
    push(length ? `chunk${kind ? `: event ${kind[1]}` : ""}` : "last chunk: the stream ends", parts, began);
  }
}

/** One frame at the start of these bytes (RFC 6455, 5.2); `bits` of its first two bytes are told apart. */
export function frame(bytes) {
  const [first, second = 0] = bytes;
  const masked = second >> 7;
  const short = second & 127;
  const extra = short === 126 ? 2 : short === 127 ? 8 : 0;
  let length = extra ? 0 : short;
  for (let i = 0; i < extra; i += 1) length = length * 256 + (bytes[2 + i] ?? 0);
  const key = bytes.slice(2 + extra, 2 + extra + 4 * masked);
  const start = 2 + extra + key.length;
  const payload = bytes.slice(start, start + length);
  const plain = masked ? payload.map((byte, i) => byte ^ key[i % 4]) : payload;
  const opcode = first & 15;
  const bits = [
    [first >> 7, 1, "FIN", "1: the message ends with this frame. 0: more frames of it follow."],
    [(first >> 4) & 7, 3, "RSV", "Reserved for extensions: 100 marks a compressed message (RFC 7692). Otherwise 0."],
    [opcode, 4, "opcode", `${opcode}: ${OPCODES[opcode] ?? "reserved"}. 1 is text, 2 binary; 8 close, 9 ping and 10 pong are control frames.`],
    [masked, 1, "MASK", "1: the payload is masked. Clients must, servers must not (RFC 6455, 5.1)."],
    [short, 7, "length", extra ? `${short}: the length follows in ${extra * 8} bits.` : `${short} bytes of payload. 126 would mean: 16 bits follow; 127: 64 bits.`],
  ];
  const parts = [{ bytes: bytes.slice(0, 2), tip: `FIN ${first >> 7}, opcode ${opcode} (${OPCODES[opcode] ?? "reserved"}), MASK ${masked}, length ${short}.` }];
  if (extra) parts.push({ bytes: bytes.slice(2, 2 + extra), tip: `The length in ${extra * 8} bits: ${length} bytes.` });
  if (masked) parts.push({ bytes: key, tip: "The masking key: payload byte i is XORed with key byte i mod 4, so that no page chooses the bytes an old proxy sees (RFC 6455, 10.3)." });
  if (length) parts.push({ bytes: payload, tip: masked ? `The payload. Unmasked: ${text(plain)}` : "The payload.", data: opcode < 3 });
  return { opcode, bits, parts, plain };
}
