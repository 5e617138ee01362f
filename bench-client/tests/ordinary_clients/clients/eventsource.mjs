// npm's eventsource: the browser's EventSource for Node. It reconnects and resumes by itself: nothing here does.

import { base, need, say } from './lab.mjs';

const { EventSource } = need('eventsource');
const source = new EventSource(`${base}/feed/sse?topic=all`);
source.addEventListener('open', () => say({ kind: 'open' }));
source.addEventListener('update', (event) => say({ kind: 'update', text: event.data, id: event.lastEventId }));
source.addEventListener('reset', (event) => say({ kind: 'reset', reason: JSON.parse(event.data).reason }));
source.addEventListener('message', (event) => say({ kind: 'unasked', text: event.data }));
source.addEventListener('error', (event) => {
  say({ kind: 'cut', why: `${event.message ?? 'the stream ended'}, state ${source.readyState}` });
});
