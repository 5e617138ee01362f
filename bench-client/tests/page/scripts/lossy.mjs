// A network that loses and repeats, put between the browser and the lanes: TCP does neither, so that it must be made.

/** Runs in each lane's thread, before it connects. `__rob({drop, repeat})` takes that many updates from every lane from now on, and gives some twice. */
export function lossy() {
  const plan = { drop: 0, repeat: 0 };
  const lanes = new Map();
  const laneOf = (address) => /\/feed\/([a-z0-9-]+)/.exec(address)?.[1];
  /** How often an update is handed on: 0, 1 or 2 times. Neighbours stay, so that each loss is a gap of its own. */
  const times = (id, { seq }) => {
    const lane = lanes.get(id) ?? lanes.set(id, { drop: 0, repeat: 0 }).get(id);
    if (seq === undefined) return 1;
    if (seq % 4 === 0 && lane.drop < plan.drop) return (lane.drop += 1, 0);
    if (seq % 4 === 2 && lane.repeat < plan.repeat) return (lane.repeat += 1, 2);
    return 1;
  };
  globalThis.__rob = (asked) => Object.assign(plan, asked);
  globalThis.__robbed = (id) => lanes.get(id)?.drop === plan.drop && lanes.get(id)?.repeat === plan.repeat;

  const handed = new WeakMap();
  /** Decided once for each message, whoever listens to it. */
  const timesOf = (event) => {
    if (!handed.has(event)) {
      const id = laneOf(event.target.url);
      const update = id && typeof event.data === "string" && event.data.startsWith("{") ? JSON.parse(event.data) : {};
      handed.set(event, times(id, update));
    }
    return handed.get(event);
  };
  const behind = (listener) => function (event) {
    for (let left = timesOf(event); left > 0; left -= 1) (listener.handleEvent ?? listener).call(this, event);
  };
  for (const kind of [WebSocket, EventSource]) {
    const add = kind.prototype.addEventListener;
    kind.prototype.addEventListener = function (type, listener, options) {
      return add.call(this, type, ["message", "update"].includes(type) ? behind(listener) : listener, options);
    };
    const { set, get } = Object.getOwnPropertyDescriptor(kind.prototype, "onmessage");
    Object.defineProperty(kind.prototype, "onmessage", { get, set(listener) { set.call(this, listener && behind(listener)); } });
  }
  const robbed = (id, answer) => ({ ...answer, updates: answer.updates?.flatMap((one) => Array(times(id, one)).fill(one)) });
  const { arrayBuffer } = Response.prototype;
  const bytes = async function () {
    const id = laneOf(this.url);
    const body = await arrayBuffer.call(this);
    if (!id) return body;
    const answer = JSON.parse(new TextDecoder().decode(body));
    return new TextEncoder().encode(JSON.stringify(robbed(id, answer))).buffer;
  };
  Response.prototype.arrayBuffer = bytes;
  Response.prototype.text = async function () {
    return new TextDecoder().decode(await bytes.call(this));
  };
  Response.prototype.json = async function () {
    return JSON.parse(new TextDecoder().decode(await bytes.call(this)));
  };
}
