// The chapters around the techniques: {title, text, steps?, lists?, more?}; `more` names what extras.js adds.

export const chapters = {
  connections: {
    title: "Connections",
    text: "Before HTTP, client and server shake hands: one round trip (RFC 9293, 3.5), with TLS 1.3 one more (RFC 8446, 2). HTTP/1.1 keeps the connection for further requests unless a side says `close` (RFC 9112, 9.3). One connection per request pays the round trips each time, and closed ones linger in TIME_WAIT.",
    steps: ["> SYN", "< SYN-ACK", "> ACK, GET", "< 200", "> GET, same connection", "< 200", "- now without keep-alive", "> SYN", "< SYN-ACK", "> ACK, GET", "< 200, close; FIN", "> FIN", "- all of it again for the next"],
    more: "connections",
  },
  handshake: {
    title: "The WebSocket handshake",
    text: "A WebSocket begins as HTTP. The client sends a random key; the server answers with a digest of it and of a fixed GUID (RFC 6455, 4.2.2). That is no secret and authenticates nobody: it proves that the other end speaks WebSocket, and that no cache answered. Over HTTP/2 it is a CONNECT on a stream, without key (RFC 8441).",
    more: "handshake",
  },
  frames: {
    title: "Frames",
    text: "After the handshake both sides send frames: two bytes, a longer length where needed, a masking key from clients, the payload (RFC 6455, 5.2). A message may be cut into several; control frames may stand between them.",
    more: "frames",
  },
  duplex: {
    title: "Full duplex",
    text: "TCP carries bytes both ways at once. HTTP/1.1 takes turns: a request, then its answer. Beside a held poll or an event stream a client therefore sends on a second connection, or a second stream of HTTP/2. A WebSocket gives both directions to the application. Nothing then says which message answers which: number them if you need to know.",
    steps: ["> draft 1", "< score 42", "> draft 2", "> draft 3", "< score 43", "< accepted: draft 1"],
    lists: { "What it asks of you": ["Acknowledgements, and order across reconnects.", "Backpressure: `bufferedAmount` tells a page what waits to be sent (WHATWG WebSockets).", "Bounds on what clients send; this feed reads it and drops it."] },
  },
  blocking: {
    title: "Head-of-line blocking",
    text: "What is ready waits behind what is not. Where, depends on the layer.",
    steps: ["> GET a", "> GET b, right behind it", "= a takes long; b is ready", "< a", "< b, late for no reason of its own"],
    lists: { "By layer": ["HTTP/1.1: answers come in the order of the requests, so pipelining (RFC 9112, 9.3.2) waits for the slowest. Browsers open about six connections per origin instead; a held poll or an event stream occupies one.", "HTTP/2: streams share a connection and do not wait for each other (RFC 9113, 5).", "TCP delivers in order: a lost packet holds back all behind it, every HTTP/2 stream and every WebSocket message of that connection.", "QUIC, under HTTP/3: a loss holds back only the streams whose data it carried (RFC 9000, 13)."] },
  },
  heartbeats: {
    title: "Heartbeats",
    text: "A peer that vanishes says nothing: a pulled cable, a sleeping laptop. TCP notices when it sends, after minutes; its own keep-alive waits two hours by default (RFC 9293, 3.8.4). And what is in between cuts what is silent, often after 60 s. So every stream says something now and then.",
    steps: ["< update 42", "- 15 s of silence", "< heartbeat", "> answer, where the protocol has one", "x the client's network is gone", "- a heartbeat is lost", "- no answer in time: closed, memory freed"],
    lists: { "How": ["WebSocket: ping and pong (RFC 6455, 5.5.2). The browser answers by itself; a page can send no ping.", "Event stream: a comment, `:`. Nothing comes back, so the server learns from TCP alone.", "Long polling: an empty answer before a proxy's patience ends.", "The client needs a clock, too: nothing for two intervals means reconnect."] },
  },
  scaling: {
    title: "Scaling what stays connected",
    text: "A request can go to any server. A connection belongs to one, for hours.",
    lists: {
      "Several servers": ["Each update goes to every server, by publish and subscribe between them (such as Redis or NATS), and fans out there.", "With a log and cursors that all share, a client resumes anywhere. Without, it needs sticky sessions, and they go with their server.", "Balance by open connections, not by requests."],
      "Reconnect storms": ["When a server goes, its clients come at once: let them wait a random, growing time, bound what is accepted, and resume by cursor."],
      "Deploys": ["Say that you go (not ready; close 1001, or `retry`), drain slowly, cut what is left at a deadline."],
      "What a client costs": ["Buffers, TLS, a descriptor, heartbeats: `cargo run --release -- run` measures memory and CPU."],
    },
  },
  neighbours: {
    title: "The neighbours",
    lists: {
      "Socket.IO": ["A library with a protocol of its own over WebSocket, with long polling as fallback: rooms, acknowledgements, reconnect. Both ends must speak it; a plain WebSocket client cannot."],
      "GraphQL subscriptions": ["A query whose result goes on, over WebSocket or an event stream. For those who have GraphQL already; it costs what carries it costs."],
      "Pusher, Ably": ["Hosted: your server publishes with a request, they hold the clients. You pay by message and connection, and depend on them."],
      "Webhooks": ["The server calls another server when something happens. Needs a public address, signatures, retries and receivers that bear repeats. Not for browsers."],
      "WebTransport": ["Streams and unreliable datagrams over HTTP/3 (W3C WebTransport): streams do not block each other. Needs QUIC all the way, and a fallback where browser or network has none."],
      "WebRTC data channels": ["Peer to peer over SCTP and DTLS, reliable or not (RFC 8831). For browsers that talk to each other; signalling, STUN and often TURN servers come with it."],
    },
  },
};
