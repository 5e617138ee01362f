// Each lane gets what a client outside any browser gets: the same updates, each once, in order; and it goes on where it was after a cut.
// The page's own figures must say so, and must notice where it is not so.

import { api, browse, check, figure, forget, seen, until, watch } from "./browser.mjs";
import { CUT, LANE, lane, number, press, racing } from "./page.mjs";
import { lossy } from "./lossy.mjs";
import { listen, seqs } from "./wire.mjs";

/** How long the lanes are followed: 60 updates of each match. */
const STRETCH_MS = 6_000;
/** Sum of layout shifts that nobody would see. */
const STILL = 0.01;

/** The whole log, as whoever polls from its beginning gets it. */
async function log() {
  const { epoch } = (await api("/api/clock")).json;
  const updates = [];
  for (let cursor = `${epoch}-0`, more = true; more; ) {
    const { json } = await api(`/feed/short-poll?since=${cursor}`);
    updates.push(...json.updates);
    ({ cursor, more = false } = json);
  }
  return updates;
}

/** What the page says of a lane, once it has caught up with what is there now. */
async function agrees(page, id, heard) {
  const wire = heard.get(id).length;
  // The newest state at the start is no delivery: one update a match.
  const slack = seqs(heard.get(id)).size;
  const now = await until(`${id}: the page counts what came`, async () => {
    const now = await lane(page, id);
    return number(now.updates) >= wire - slack && now;
  });
  check(`${id}: the page counts no more updates than came`, number(now.updates) <= heard.get(id).length, [now, wire, heard.get(id).length]);
  return now;
}

await browse(async ({ page, another }) => {
  const ids = (await api("/api/transports")).json.map(({ id }) => id);
  const heard = listen(page);
  await racing(page, ids);
  await forget(page);
  await watch(STRETCH_MS);
  const { shift, shifts } = await seen(page);
  figure(`race, ${STRETCH_MS / 1_000} s: layout shift ${shift.toFixed(4)}`);
  check("nothing moves about while the race runs", shift < STILL, [shift, shifts]);

  // Up to here, and every lane must get there.
  const published = await log();
  const last = seqs(published);
  const text = new Map(published.map((update) => [`${update.topic} ${update.seq}`, JSON.stringify(update)]));
  for (const id of ids) {
    const there = () => [...seqs(heard.get(id))].every(([topic, all]) => all.at(-1) >= last.get(topic).at(-1));
    await until(`${id}: the newest update of the log arrives`, there);
    const updates = heard.get(id).filter(({ topic, seq }) => seq <= last.get(topic).at(-1));
    for (const [topic, got] of seqs(updates)) {
      const count = updates.filter((one) => one.topic === topic).length;
      check(`${id}, ${topic}: each of ${got.length} updates once, none left out`, count === got.length && got.at(-1) - got[0] + 1 === got.length, got);
      check(`${id}, ${topic}: enough of them to tell`, got.length > 20, got.length);
    }
    check(`${id}: every update says what it says to others`, updates.every((one) => text.get(`${one.topic} ${one.seq}`) === JSON.stringify(one)));
    const now = await agrees(page, id, heard);
    check(`${id}: the page says 0 missed, 0 duplicates`, number(now.missed) === 0 && number(now.duplicates) === 0, now);
  }

  for (const id of ids) {
    const before = await lane(page, id);
    await press(page, CUT, LANE(id));
    const newest = seqs(await log());
    const whole = () => [...seqs(heard.get(id))].every(([topic, all]) => all.at(-1) > newest.get(topic).at(-1) + 5 && all.at(-1) - all[0] + 1 === all.length);
    await until(`${id}: goes on behind the cut, and nothing is left out`, whole);
    const now = await until(`${id}: is live again`, async () => {
      const now = await lane(page, id);
      return now.state === "live" && number(now.updates) > number(before.updates) && now;
    });
    check(`${id}: after a cut still 0 missed, 0 duplicates`, number(now.missed) === 0 && number(now.duplicates) === 0, now);
  }

  await page.close();
  const robbed = await another();
  await racing(robbed, ids);
  const everywhere = (act, ...given) => Promise.all(robbed.workers().map((thread) => thread.evaluate(act, ...given)));
  check("each lane has a thread of its own", robbed.workers().length === ids.length, robbed.workers().length);
  await everywhere(lossy);
  // Connections from now on go through it.
  for (const id of ids) await press(robbed, CUT, LANE(id));
  for (const id of ids) await until(`${id}: live again`, async () => (await lane(robbed, id)).state === "live");
  await everywhere(() => globalThis.__rob({ drop: 3, repeat: 2 }));
  for (const id of ids) {
    await until(`${id}: three updates were taken from it, two given twice`, async () => (await everywhere((id) => globalThis.__robbed(id), id)).includes(true));
    const now = await until(`${id}: the page says 3 missed, 2 duplicates`, async () => {
      const now = await lane(robbed, id);
      return number(now.missed) === 3 && number(now.duplicates) === 2 && now;
    }).catch(async (error) => {
      throw new Error(`${error.message}: ${JSON.stringify(await lane(robbed, id))}`);
    });
    check(`${id}: what is taken from a lane, and what comes twice, is counted`, now);
  }
});
