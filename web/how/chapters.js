// The chapters that are not about one technique: {title, text, lists, steps?, more?}; `more` names a module that adds what moves or is typed.

export const chapters = {
  connections: {
    title: "Connections",
    text: ["Before the first byte of HTTP, client and server shake hands: SYN, SYN-ACK, ACK. That is one round trip (RFC 9293, 3.5); TLS 1.3 adds one more (RFC 8446, 2). HTTP/1.1 keeps a connection for further requests unless a side says `close` (RFC 9112, 9.3). Whoever opens one per request pays the round trips each time, and the closed ones linger in TIME_WAIT."],
    steps: ["> SYN", "< SYN-ACK", "> ACK and GET", "< 200", "> GET, same connection", "< 200", "- now without keep-alive", "> SYN", "< SYN-ACK", "> ACK and GET", "< 200, close; FIN", "> FIN", "- and all of it again for the next"],
    more: "connections",
  },
  handshake: {
    title: "The WebSocket handshake",
    text: ["A WebSocket begins as HTTP. The client sends a random key; the server must answer with a digest of that key and a GUID fixed by RFC 6455, 4.2.2. It is no secret and authenticates nobody: it proves that the other end speaks WebSocket, and that no cache answered. Over HTTP/2 the handshake is a CONNECT on a stream instead, without key (RFC 8441)."],
    more: "handshake",
  },
  frames: {
    title: "Frames",
    text: ["Behind the handshake both sides send frames: two bytes, a longer length where needed, a masking key from clients, the payload (RFC 6455, 5.2). A message may be cut into several frames; control frames may stand between them."],
    more: "frames",
  },
  duplex: {
    title: "Full duplex",
    text: ["TCP carries bytes both ways at once. HTTP/1.1 takes turns on it: a request, then its answer. Polling and event streams therefore send on a second connection, or a second stream of HTTP/2. A WebSocket gives both directions to the application: neither waits for the other, and nothing says which message answers which. Number them if you need to know."],
    steps: ["> draft 1", "< score 42", "> draft 2", "> draft 3", "< score 43", "< accepted: draft 1"],
    lists: { "What it asks of you": ["Acknowledgements and ordering across reconnects.", "Backpressure: `bufferedAmount` tells a page what still waits to be sent (WHATWG WebSockets).", "Limits for what clients send; a feed like this one reads it and drops it."] },
  },
  blocking: {
    title: "Head-of-line blocking",
    text: ["Something finished waits behind something unfinished. Where, depends on the layer."],
    steps: ["> GET a", "> GET b, behind it", "= a takes long; b is ready", "< a", "< b, late for no reason of its own"],
    lists: { "By layer": ["HTTP/1.1: answers come in the order of the requests, so pipelining (RFC 9112, 9.3.2) waits for the slowest. Browsers do not pipeline; they open about six connections per origin. A held poll or an event stream occupies one.", "HTTP/2: streams share one connection and do not wait for each other (RFC 9113, 5).", "TCP: delivers in order. One lost packet holds back everything behind it: all HTTP/2 streams, all WebSocket messages of the connection.", "QUIC, under HTTP/3: a loss holds back only the streams whose data was in the packet (RFC 9000, 13)."] },
  },
  heartbeats: {
    title: "Heartbeats",
    text: ["A peer that vanishes says nothing: pulled cable, sleeping laptop, a NAT that forgot. TCP notices when it sends, and then after minutes; its own keep-alive waits two hours by default (RFC 9293, 3.8.4). And what is in between cuts what is silent, often after 60 s. So every stream says something now and then."],
    steps: ["< update 42", "- 15 s of silence", "< heartbeat", "> answer, where the protocol has one", "x the client's network is gone", "< heartbeat", "- no answer in time: closed, memory freed"],
    lists: { "How": ["WebSocket: ping and pong frames (RFC 6455, 5.5.2); the browser answers by itself, pages cannot send one.", "Event stream: a comment line, `:`. Nothing comes back, so the server learns from TCP alone.", "Long polling: an empty answer before the proxy's patience ends.", "The client needs a clock too: nothing for twice the interval means reconnect."] },
  },
  scaling: {
    title: "Scaling what stays connected",
    text: ["A request can go to any server. A connection belongs to one, for hours."],
    lists: {
      "More than one server": ["An update reaches every server: publish and subscribe between them (a broker such as Redis or NATS), and fan out locally.", "A log with cursors, shared by all, lets a client resume at any server. Without it you need sticky sessions, and lose them with the server.", "Balance by open connections: requests per second say nothing here."],
      "Reconnect storms": ["When a server goes, all its clients come at once. They wait a random, growing time; the server bounds its accepts.", "Resume by cursor, so that nobody loads everything again."],
      "Deploys": ["Say that you go (not ready; close 1001, or `retry`), drain slowly, end what is left at a deadline."],
      "What a client costs": ["Memory for buffers and TLS, a descriptor, a heartbeat. `bench-client run` measures memory and CPU per client."],
    },
  },
  neighbours: {
    title: "The neighbours",
    lists: {
      "Socket.IO": ["A library with a protocol of its own over WebSocket, with long polling as fallback: rooms, acknowledgements, reconnect. Both ends must speak it; a plain WebSocket client cannot."],
      "GraphQL subscriptions": ["A query whose result goes on, over WebSocket (graphql-ws) or an event stream (graphql-sse). Worth it where GraphQL is there already; the costs are those of what carries it."],
      "Pusher, Ably": ["Hosted connections: your server publishes with a request, they hold the clients. You pay by message and connection, and depend on them for latency."],
      "Webhooks": ["The server calls another server when something happens. Needs a public address, signatures, retries and idempotent receivers. Not for browsers."],
      "WebTransport": ["Streams and unreliable datagrams over HTTP/3 (W3C WebTransport): no blocking between streams. Needs QUIC end to end; support is younger, so bring a fallback."],
      "WebRTC data channels": ["Peer to peer over SCTP and DTLS, reliable or not (RFC 8831, W3C WebRTC). For browsers that talk to each other. Signalling, STUN and often TURN servers come with it."],
    },
  },
};
