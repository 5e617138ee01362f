// What holds the page up (drawing, a long task, a stopped tab) is no delay of what arrives meanwhile: that is timed by the lane's own thread.

import { api, browse, check, figure, until } from "./browser.mjs";
import { lane, micros, number, press, racing } from "./page.mjs";

/** How long the page does nothing else, and how many updates come meanwhile: most of those its figures are then of. */
const HELD_MS = 6_000;
const MOST = 40;
/** A median that had waited for the page would be half of it; that of polls each second is half a second. */
const LATE_US = 1_500_000;

await browse(async ({ page }) => {
  const ids = (await api("/api/transports")).json.map(({ id }) => id);
  await racing(page, ids);
  await press(page, /reset figures/i);
  await page.evaluate((ms) => {
    for (const end = performance.now() + ms; performance.now() < end; );
  }, HELD_MS);
  for (const id of ids) {
    const now = await until(`${id}: the page counts what came meanwhile`, async () => {
      const now = await lane(page, id);
      return number(now.updates) > MOST && now;
    });
    figure(`${id}, the page held up for ${HELD_MS / 1_000} s: median ${now.p50}, 99 of 100 within ${now.p99}`);
    check(`${id}: they were timed as they came`, micros(now.p50) !== null && micros(now.p50) < LATE_US, now);
    check(`${id}: 0 missed, 0 duplicates`, number(now.missed) === 0 && number(now.duplicates) === 0, now);
  }
});
