// Recorded bytes -> messages of explained parts, read off the bytes alone: HTTP heads (RFC 9112), chunks and events, or, behind a 101,
// WebSocket frames (RFC 6455). A message: {at_us, from, title, parts}; a part: {bytes, tip, show?, name?, data?}. `data`: it carries updates.

const decoder = new TextDecoder();
export const text = (bytes) => decoder.decode(bytes);

const HEADERS = {
  host: "which site is meant; many share an address (RFC 9112, 3.2).",
  origin: "the site whose page asks. The server must check it: no same-origin policy does.",
  accept: "media types the client can use.",
  "last-event-id": "the last id the client had: the stream goes on behind it.",
  connection: "keep-alive: more requests may follow; close: none; upgrade: another protocol follows.",
  upgrade: "the protocol spoken from here on.",
  "sec-websocket-key": "16 random bytes in base64; the answer proves that they were read.",
  "sec-websocket-version": "13 is the only one in use.",
  "sec-websocket-accept": "digest of key and GUID: the other end does speak WebSocket.",
  "content-type": "what the body is.",
  "content-length": "bytes of the body: where the next answer may begin.",
  "transfer-encoding": "the length is not known yet; each chunk says its own (RFC 9112, 7.1).",
  "cache-control": "no-store: nobody on the way keeps it; no-cache: nobody answers from what was kept.",
  "x-accel-buffering": "nginx and its kin pass on at once what comes.",
  etag: "names the state; sent back as If-None-Match, it is answered 304 while nothing is new.",
};
const FIELDS = {
  retry: "How many ms a browser waits before it connects again.",
  event: "Which listener of the page gets it.",
  data: "What the page is handed.",
  id: "Kept by the browser, and said in Last-Event-ID when it reconnects.",
  "": "A comment: keeps the connection from looking idle.",
};
const OPCODES = { 0: "continuation", 1: "text", 2: "binary", 8: "close", 9: "ping", 10: "pong" };

/** The messages of a connection, in order of time. */
export function messages({ chunks }) {
  return ["client", "server"].flatMap((from) => side(from, chunks.filter((chunk) => chunk.from === from))).sort((a, b) => a.at_us - b.at_us);
}

function side(from, chunks) {
  const starts = [];
  let binary = "";
  for (const { base64, at_us } of chunks) {
    starts.push([binary.length, at_us]);
    binary += atob(base64);
  }
  const all = Uint8Array.from(binary, (sign) => sign.charCodeAt(0));
  const made = [];
  let at = 0;
  let framed = false;
  const take = (length) => all.subarray(at, (at = Math.min(at + length, all.length)));
  const line = (most = Infinity) => take(Math.min(most, (all.indexOf(10, at) + 1 || all.length) - at));
  const when = () => starts.findLast(([start]) => start <= at)[1];
  while (at < all.length) {
    const at_us = when();
    const push = (title, parts) => made.push({ from, title, parts, at_us });
    if (framed) {
      const { title, parts, length } = frame(all.subarray(at));
      take(length);
      push(title, parts);
    } else head(push);
  }
  return made;

  function head(push) {
    const parts = [{ bytes: line(), tip: from === "client" ? "Method, target and version: all that the server needs stands in the address." : "Version, status and its words." }];
    const headers = {};
    for (let words = true; words && at < all.length;) {
      const bytes = line();
      words = text(bytes).trim();
      const [name, value] = words.toLowerCase().split(": ");
      headers[name] = value;
      parts.push({ bytes, tip: words ? `${name}: ${HEADERS[name] ?? "the feed does not need it."}` : "An empty line: the head ends." });
    }
    framed = "upgrade" in headers;
    if (headers["content-length"]) {
      const bytes = take(Number(headers["content-length"]));
      parts.push({ bytes, tip: "The body: updates since the cursor, and the cursor to ask with next.", data: text(bytes).includes('"seq"') });
    }
    push(text(parts[0].bytes).trim(), parts);
    while (headers["transfer-encoding"] === "chunked" && at < all.length) chunk();
  }

  function chunk() {
    const at_us = when();
    const size = line();
    const length = parseInt(text(size), 16);
    const parts = [{ bytes: size, tip: `The chunk's size in hexadecimal: ${length} bytes.` }];
    let title = length ? "chunk" : "last chunk: the stream ends";
    for (const end = Math.min(at + length, all.length); at < end;) {
      const bytes = line(end - at);
      const words = text(bytes);
      const field = /^\w*/.exec(words)[0];
      if (field === "event") title = words;
      parts.push({ bytes, data: field === "data", tip: words === "\n" ? "An empty line: the event is whole, and handed out." : FIELDS[field] ?? "A field that browsers pass over." });
    }
    made.push({ from, title, at_us, parts: [...parts, { bytes: take(2), tip: "Ends the chunk." }] });
  }
}

/** The frame at the start of these bytes (RFC 6455, 5.2), its first two bytes bit by bit. */
export function frame(bytes) {
  const [first, second = 0] = bytes;
  const [masked, short, opcode] = [second >> 7, second & 127, first & 15];
  const extra = { 126: 2, 127: 8 }[short] ?? 0;
  const at = 2 + extra;
  const length = extra ? [...bytes.slice(2, at)].reduce((sum, byte) => sum * 256 + byte, 0) : short;
  const key = bytes.slice(at, at + 4 * masked);
  const payload = bytes.slice(at + key.length, at + key.length + length);
  const none = bytes.slice(0, 0);
  const bit = (name, value, width, tip, bytes = none) => ({ show: `${name} ${value.toString(2).padStart(width, "0")}`, bytes, tip });
  const parts = [
    bit("FIN", first >> 7, 1, "1: the message ends with this frame; 0: more frames of it follow.", bytes.slice(0, 1)),
    bit("RSV", (first >> 4) & 7, 3, "For extensions: 100 marks a compressed message (RFC 7692)."),
    bit("opcode", opcode, 4, `${OPCODES[opcode] ?? "reserved"}. 1 is text, 2 binary, 0 continues a message; 8 close, 9 ping, 10 pong.`),
    bit("MASK", masked, 1, "1: the payload is masked. Clients must, servers must not (RFC 6455, 5.1).", bytes.slice(1, 2)),
    bit("length", short, 7, extra ? `${short}: it follows in ${extra * 8} bits.` : `${short} bytes of payload. 126 and 127 mean: it follows in 16 or 64 bits.`),
  ];
  if (extra) parts.push({ bytes: bytes.slice(2, at), show: `length ${length}`, tip: `The length in ${extra * 8} bits.` });
  if (masked) parts.push({ bytes: key, name: "key", tip: "Payload byte i is XORed with byte i mod 4 of the masking key: no page chooses the bytes that an old proxy sees (RFC 6455, 10.3)." });
  if (length) parts.push({ bytes: payload, name: "payload", data: opcode < 3, tip: masked ? `Unmasked: ${text(payload.map((byte, i) => byte ^ key[i % 4]))}` : "Not masked: a server's frame." });
  return { title: `${OPCODES[opcode] ?? "reserved"} frame`, parts, length: at + key.length + length };
}
