// npm's @microsoft/fetch-event-source. It retries and resumes by itself; written for browsers, it asks for a window and a document.

import { base, need, say } from './lab.mjs';

globalThis.window = globalThis;
globalThis.document = { hidden: false, addEventListener() {}, removeEventListener() {} };
const { fetchEventSource } = need('@microsoft/fetch-event-source');

await fetchEventSource(`${base}/feed/sse?topic=all`, {
  async onopen(response) {
    if (!response.ok) {
      throw new Error(`status ${response.status}`);
    }
    say({ kind: 'open' });
  },
  onmessage({ event, data, id, retry }) {
    if (retry !== undefined) {
      say({ kind: 'retry', ms: retry });
    }
    if (event === 'update') {
      say({ kind: 'update', text: data, id });
    } else if (event === 'reset') {
      say({ kind: 'reset', reason: JSON.parse(data).reason });
    } else {
      say({ kind: 'unasked', text: `${event}: ${data}` });
    }
  },
  onclose() {
    // Without this a stream that ends in good order is the end of it.
    throw new Error('the stream ended');
  },
  // Returns nothing: it waits as long as the stream's own `retry` said.
  onerror(error) {
    say({ kind: 'cut', why: String(error) });
  },
});
