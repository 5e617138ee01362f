// What techniques that ask again and again have in common: one question, and its answer.

/** Longer than any answer may be held (25 s by default), with time for the path. */
const ANSWER_MS = 60_000;
/** Answers in a row that may say `more`, as in the bench client. */
const ANSWERS_MAX = 1_000;

/** Asks until the server has no more to say now, and delivers what it says; `more` is added to the address. Throws where there is no answer, or a refusal. */
export async function ask(lane, more = "") {
  for (let answers = 0; answers < ANSWERS_MAX; answers++) {
    if (!(await once(lane, more))) return;
  }
}

async function once(lane, more) {
  const watch = new AbortController();
  const end = () => watch.abort();
  const timer = setTimeout(end, ANSWER_MS);
  lane.signal.addEventListener("abort", end);
  try {
    lane.asked();
    const response = await fetch(lane.address() + more, { signal: watch.signal });
    const body = await response.arrayBuffer();
    const at_us = lane.clock_us();
    const text = new TextDecoder().decode(body);
    if (!response.ok) throw new Error(refusal(text, response.status));
    const answer = JSON.parse(text);
    lane.opened();
    if (answer.reset) lane.reset();
    lane.deliver(at_us, answer.updates, { bytes: body.byteLength, cursor: answer.cursor });
    return answer.more === true;
  } catch (error) {
    if (error.name === "AbortError") throw new Error(`no answer in ${ANSWER_MS / 1_000} s`);
    throw error instanceof TypeError ? new Error("the server does not answer") : error;
  } finally {
    clearTimeout(timer);
    lane.signal.removeEventListener("abort", end);
  }
}

/** The server's words; a proxy before it has its own, which are no JSON. */
function refusal(text, status) {
  try {
    return JSON.parse(text).error ?? `answered with ${status}`;
  } catch {
    return `answered with ${status}`;
  }
}
