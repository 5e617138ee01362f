// WebSocket: a message per update; to connect again and to say where it stopped is up to the page.

import { utf8 } from "../live/figures.js";

/** The lane: see live/worker.js. */
export function follow(lane) {
  return new Promise((done, fail) => {
    const socket = new WebSocket(lane.address("ws"));
    lane.asked();
    lane.signal.addEventListener("abort", () => {
      socket.close();
      done();
    });
    socket.onopen = () => lane.opened();
    socket.onmessage = ({ data }) => {
      const at_us = lane.clock_us();
      const said = JSON.parse(data);
      if (said.reset) lane.reset(said.cursor);
      else lane.deliver(at_us, [said], { bytes: utf8(data), messages: 1 });
    };
    socket.onclose = ({ code, reason }) => fail(new Error(`closed with ${code}${reason && `: ${reason}`}`));
  });
}

/** The lesson. */
export const lesson = {
  steps: ["> GET, Upgrade: websocket, key", "< 101 Switching Protocols, accept", "* update 42", "< text frame: update 42", "> masked frame: a client may speak", "* update 43", "< text frame: update 43", "- silence: heartbeat", "< ping", "> pong", "< close 1001", "> close 1001"],
  use: "chat, games, editing together, trading: both sides speak often.",
  fit: [
    ["sends=often", 6, "Both directions share one connection, at a few bytes a message."],
    ["sends=some", 1, "The client can answer on the same connection."],
    ["stale=now", 2, "An update is written the moment it is there, on a connection that stands."],
    ["stale=second", 2, "An update is written the moment it is there, on a connection that stands."],
    ["rate=fast", 1, "The smallest framing: 2 to 10 bytes from the server, 6 to 14 from the client; binary, too."],
    ["sends=no", -1, "A way back that nobody uses has to be run and secured."],
    ["need=every", -1, "Reconnect, with growing random waits, and resume by cursor are yours to build."],
    ["path=strict", -2, "A proxy must pass the upgrade; under TLS most do."],
  ],
  limits: ["A page sets no header on the handshake but the subprotocol: a cookie, the address or a first message carries a token.", "No same-origin policy: the server must check `Origin` (RFC 6455, 10.2).", "`WebSocket` has no backpressure: a page that reads slowly fills its memory.", "Caches, status codes and ordinary middleware see no single message."],
};
