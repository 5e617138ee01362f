// Stub.

/** The lane. */
export function follow() {}

/** The lesson. */
export const lesson = {
  steps: [
    "> GET, Upgrade: websocket, key",
    "< 101 Switching Protocols, accept",
    "* update 42",
    "< text frame: update 42",
    "> masked frame: a client may speak",
    "* update 43",
    "< text frame: update 43",
    "- silence: heartbeat",
    "< ping",
    "> pong",
    "< close 1001",
    "> close 1001",
  ],
  use: ["Both sides send often: chat, games, editing together, trading.", "Binary messages, or the fewest bytes of framing: 2 to 10 from the server, 6 to 14 from the client."],
  not: ["Only the server speaks: Server-Sent Events bring reconnect and resume along.", "Caches, status codes or ordinary middleware should see each message."],
  limits: ["A page cannot set headers on the handshake: cookies, the address, or a first message carry a token.", "The same-origin policy does not apply: the server must check `Origin` (RFC 6455, 10.2).", "Reconnect with growing, random waits, and resume by cursor: all of it is the application's.", "The browser's `WebSocket` has no backpressure: a page that reads slowly fills its memory.", "A page can send no ping: what notices a dead server is a message of its own."],
  fit: ({ stale, rate, sends, path, need }) => [
    sends === "often" ? [6, "Both directions share one connection, a few bytes a message."] : sends === "some" ? [1, "The client can answer on the same connection."] : [-1, "A way back that nobody uses has to be run and secured."],
    stale !== "lax" && [2, "An update is written the moment it is there, on a connection that stands."],
    rate === "fast" && [1, "Framing is the smallest: 2 to 10 bytes an update."],
    path === "strict" && [-2, "A proxy must pass the upgrade; under TLS most do."],
    need === "every" && [-1, "Reconnect and resume are yours to build."],
  ],
};
