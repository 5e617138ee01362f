// What reached the browser, heard below the page: every update of every lane as the network stack handed it over. The page is not asked.

const LANE = /\/feed\/([a-z0-9-]+)/;
/** Answers are kept by the browser for as long as they are read here; far more than a test makes. */
const BUFFER = { maxTotalBufferSize: 64 * 1024 * 1024, maxResourceBufferSize: 16 * 1024 * 1024 };

/** transport id -> updates in the order they came; `state` ones, which only say where things stand, among them. */
export function listen(page) {
  const heard = new Map();
  const lane = (id) => heard.get(id) ?? heard.set(id, []).get(id);
  const note = (id, text) => {
    const said = JSON.parse(text);
    if (said.updates) lane(id).push(...said.updates);
    else if (said.seq !== undefined) lane(id).push(said);
  };
  // Each lane has a thread of its own, which alone tells what it gets.
  page.on("workercreated", ({ client: session }) => {
    const requests = new Map();
    const opened = (requestId, url) => {
      const id = LANE.exec(url)?.[1];
      if (id) requests.set(requestId, id);
    };
    session.on("Network.requestWillBeSent", ({ requestId, request }) => opened(requestId, request.url));
    session.on("Network.webSocketCreated", ({ requestId, url }) => opened(requestId, url));
    session.on("Network.webSocketFrameReceived", ({ requestId, response }) => {
      if (requests.has(requestId) && response.opcode === 1) note(requests.get(requestId), response.payloadData);
    });
    session.on("Network.eventSourceMessageReceived", ({ requestId, data }) => {
      if (requests.has(requestId) && data.startsWith("{")) note(requests.get(requestId), data);
    });
    session.on("Network.loadingFinished", async ({ requestId }) => {
      if (!requests.has(requestId)) return;
      // A stream that ended has no body left, and what it said was heard above.
      const answer = await session.send("Network.getResponseBody", { requestId }).catch(() => null);
      const body = answer?.base64Encoded ? Buffer.from(answer.body, "base64").toString() : answer?.body;
      if (body?.startsWith("{")) note(requests.get(requestId), body);
    });
    // One that ended meanwhile has nothing to tell.
    session.send("Network.enable", BUFFER).catch(() => {});
  });
  return heard;
}

/** Seqs per topic: topic -> sorted, each once. */
export function seqs(updates) {
  const topics = new Map();
  for (const { topic, seq } of updates) (topics.get(topic) ?? topics.set(topic, new Set()).get(topic)).add(seq);
  return new Map([...topics].map(([topic, all]) => [topic, [...all].sort((a, b) => a - b)]));
}
