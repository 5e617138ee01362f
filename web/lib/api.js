// Questions to this server, and changes. An error answer says in words what was wrong; those words reach the reader.

/** Answers with an error of this server carry its words and the status; where nobody answered, `status` is 0. */
export class ApiError extends Error {
  constructor(message, status) {
    super(message);
    this.status = status;
  }
}

/** GET, as JSON. */
export function get(address, { signal } = {}) {
  return ask(address, { signal });
}

/** POST, PUT or DELETE with the token of this start; answers with JSON, or null where there is none. */
export function send(method, address, body, token, { signal } = {}) {
  return ask(address, {
    method,
    signal,
    headers: { "content-type": "application/json", "x-lab-token": token },
    body: body === undefined ? undefined : JSON.stringify(body),
  });
}

async function ask(address, options) {
  let response, text;
  try {
    response = await fetch(address, { cache: "no-cache", ...options });
    text = await response.text();
  } catch (error) {
    if (error.name === "AbortError") throw error;
    throw new ApiError("the server does not answer", 0);
  }
  let answer = null;
  try {
    answer = text ? JSON.parse(text) : null;
  } catch {
    throw new ApiError(`${address}: the answer is no JSON`, response.status);
  }
  if (!response.ok) throw new ApiError(answer?.error ?? `${address}: ${response.status}`, response.status);
  return answer;
}
