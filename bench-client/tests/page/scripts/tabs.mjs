// A tab on every view, and the server is told to end: it does, in its time.

import { api, ask, browse, check, UNREACHABLE } from "./browser.mjs";
import { go, racing } from "./page.mjs";

/** The deadline the test gave, the notice before it, and a machine with much to do. */
const MOST_MS = 15_000;

await browse(async ({ page, another }) => {
  const ids = (await api("/api/transports")).json.map(({ id }) => id);
  for (const address of ["/results", "/results/curated", "/how", `/how/${ids[0]}`, "/"]) await go(await another(), address);
  // What lies behind another tab is not drawn.
  await page.bringToFront();
  await racing(page, ids);
  const took = Number(await ask("stop"));
  check(`serve ended in ${took} ms with six tabs open`, took < MOST_MS);
}, { tolerate: [UNREACHABLE, /ERR_/] });
