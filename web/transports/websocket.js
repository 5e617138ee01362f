// WebSocket: a message per update; to connect again and to say where it stopped is up to the page.

import { utf8 } from "../live/figures.js";

/** The lane: see live/lanes.js. */
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
export const lesson = {};
