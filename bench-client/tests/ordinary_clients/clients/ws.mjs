// npm's ws. WebSocket has no resume: this connects again with the cursor of what it holds.

import { base, need, say } from './lab.mjs';

const PAUSE_MS = 100;
const WebSocket = need('ws');
let cursor = null;

function connect() {
  const since = cursor === null ? '' : `&since=${cursor}`;
  // It offers permessage-deflate, as browsers do.
  const socket = new WebSocket(`${base.replace('http', 'ws')}/feed/websocket?topic=all${since}`);
  socket.on('open', () => say({ kind: 'open' }));
  socket.on('message', (data, binary) => {
    const text = data.toString();
    const message = JSON.parse(text);
    if (binary) {
      say({ kind: 'unasked', text });
    } else if (message.reset) {
      cursor = message.cursor;
      say({ kind: 'reset', reason: message.reset.reason });
    } else {
      cursor = `${message.epoch}-${message.offset}`;
      say({ kind: 'update', text });
    }
  });
  socket.on('error', (error) => say({ kind: 'cut', why: String(error) }));
  socket.on('close', (code) => {
    say({ kind: 'closed', code });
    setTimeout(connect, PAUSE_MS);
  });
}

connect();
