// A crowd beside the page: it comes, its figures show and agree with what the page's own lane sees, and it goes.

import { api, browse, check, figure, until } from "./browser.mjs";
import { ADD_CROWD, CROWD, LANE, lane, micros, press, racing, REMOVE_CROWD } from "./page.mjs";

/**
 * How far the median of one browser lane may lie from that of a single client of the bench on the same feed, at the same interval of a
 * second: by its phase a poller's is off by a tick of the feed, 100 ms; a browser that shares two cores with everything else by the rest.
 */
const APART_US = 150_000;

const crowds = async () => (await api("/api/demo/crowd")).json;
const crowdOf = async (id) => (await crowds()).crowds.find(({ transport }) => transport === id);

await browse(async ({ page }) => {
  const ids = (await api("/api/transports")).json.map(({ id }) => id);
  await racing(page, ids);
  const token = await page.evaluate(async () => (await (await fetch("/api/page")).json()).token);
  const put = (id, clients) =>
    page.evaluate(
      async (id, clients, token) => (await fetch(`/api/demo/crowd/${id}`, { method: "PUT", headers: { "content-type": "application/json", "x-lab-token": token }, body: JSON.stringify({ clients }) })).status,
      id,
      clients,
      token,
    );

  for (const id of ids) {
    await press(page, ADD_CROWD, LANE(id));
    const { clients } = await until(`${id}: a crowd exists`, () => crowdOf(id));
    const there = await until(`${id}: ${clients} clients get updates`, async () => {
      const now = await crowdOf(id);
      return now.connected > 0 && now.deliveries_per_s > 0 && now.latency_p50_us !== null && now;
    });
    check(`${id}: without a loss or a duplicate`, there.missed === 0 && there.duplicates === 0 && there.error === null, there);
    await until(`${id}: the lane shows it`, () => page.evaluate((at) => /\d/.test(document.querySelector(at)?.textContent ?? ""), CROWD(id)));
    await press(page, REMOVE_CROWD, LANE(id));
    await until(`${id}: the crowd is gone`, async () => !(await crowdOf(id)));
  }

  for (const id of ids) {
    check(`${id}: one client is a crowd too`, (await put(id, 1)) === 200);
    const one = await until(`${id}: it has figures`, async () => {
      const now = await crowdOf(id);
      return now?.latency_p50_us != null && now;
    });
    const shown = micros((await lane(page, id)).p50);
    figure(`${id}, 10 updates/s: median of the browser's lane ${shown} µs, of one client of the bench ${one.latency_p50_us} µs`);
    check(`${id}: the browser's lane and our own client see about the same`, shown !== null && Math.abs(shown - one.latency_p50_us) < APART_US, [shown, one]);
    await put(id, 0);
  }
  const { most_clients } = await crowds();
  // 400 is what is asked for here: the console names it, and is not to be tolerated for it.
  const refused = await api(`/api/demo/crowd/${ids[0]}`, { method: "PUT", headers: { "content-type": "application/json", "x-lab-token": token }, body: JSON.stringify({ clients: most_clients + 1 }) });
  check("whoever is no page may not make one, token or not", refused.status === 403, refused);
});
