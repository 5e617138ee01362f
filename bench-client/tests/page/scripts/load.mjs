// 1,000 updates a second in four lanes: what the page then takes of the machine. Asserted where there is time for it ("long").

import { api, browse, check, figure, forget, heap, seen, until, watch, words } from "./browser.mjs";
import { lane, number, racing } from "./page.mjs";

const LONG = words.includes("long");
const STRETCH_MS = LONG ? 30 * 60_000 : 15_000;
/** Filled after this: rings, histograms and what the browser compiles. */
const WARM_MS = LONG ? 60_000 : 5_000;
const LONG_TASK_MS = 50;
/** What a heap may gain in half an hour: the browser's own bookkeeping of requests among it. */
const FLAT_BYTES = 4 * 1024 * 1024;
const MIB = 1024 * 1024;

await browse(async ({ page }) => {
  const ids = (await api("/api/transports")).json.map(({ id }) => id);
  await racing(page, ids);
  await watch(WARM_MS);
  const before = await heap(page);
  const first = Object.fromEntries(await Promise.all(ids.map(async (id) => [id, number((await lane(page, id)).updates)])));
  await forget(page);
  await watch(STRETCH_MS);
  const { tasks, shift, shifts } = await seen(page);
  const after = await heap(page);
  const updates = Object.fromEntries(await Promise.all(ids.map(async (id) => [id, await lane(page, id)])));
  const longest = Math.max(0, ...tasks);
  figure(`race at 1,000 updates/s, ${STRETCH_MS / 1_000} s: ${tasks.length} tasks over ${LONG_TASK_MS} ms, the longest ${longest} ms`);
  figure(`race at 1,000 updates/s, ${STRETCH_MS / 1_000} s: heap ${(before / MIB).toFixed(1)} MiB, then ${(after / MIB).toFixed(1)} MiB`);
  check("nothing moved about", shift < 0.01, [shift, shifts]);
  for (const id of ids) {
    // Half of them: the feed and the clock of this script are two, and nothing here asserts speed.
    check(`${id}: it was that many updates`, number(updates[id].updates) - first[id] > STRETCH_MS / 2, [first[id], updates[id]]);
    check(`${id}: 0 missed, 0 duplicates`, number(updates[id].missed) === 0 && number(updates[id].duplicates) === 0, updates[id]);
    await until(`${id}: still live`, async () => (await lane(page, id)).state === "live");
  }
  if (LONG) {
    check(`no task over ${LONG_TASK_MS} ms`, tasks.length === 0, tasks);
    check("the heap does not grow", after - before < FLAT_BYTES, [before, after]);
  }
});
