// What holds the page up (drawing, a long task, a stopped tab) is no delay of what arrives meanwhile: that is timed by the lane's own thread.

import { api, browse, check, figure, until } from "./browser.mjs";
import { CUT, lane, micros, number, press, racing } from "./page.mjs";

/** How long the page does nothing else, and how many updates come meanwhile: most of those its figures are then of. */
const HELD_MS = 6_000;
const MOST = 40;
/** A median that had waited for the page would be half of it; that of polls each second is half a second. */
const LATE_US = 1_500_000;

/** Keeps the page's thread, and cuts every lane before it is let go. */
const hold = (page, ms, cut) =>
  page.evaluate(
    (ms, cut) => {
      for (const end = performance.now() + ms; performance.now() < end; );
      if (!cut) return;
      for (const one of document.querySelectorAll("main button")) if (new RegExp(cut, "i").test(one.textContent)) one.click();
    },
    ms,
    cut,
  );

await browse(async ({ page }) => {
  const ids = (await api("/api/transports")).json.map(({ id }) => id);
  await racing(page, ids);
  await press(page, /reset figures/i);
  await hold(page, HELD_MS);
  for (const id of ids) {
    const now = await until(`${id}: the page counts what came meanwhile`, async () => {
      const now = await lane(page, id);
      return number(now.updates) > MOST && now;
    });
    figure(`${id}, the page held up for ${HELD_MS / 1_000} s: median ${now.p50}, 99 of 100 within ${now.p99}`);
    check(`${id}: they were timed as they came`, micros(now.p50) !== null && micros(now.p50) < LATE_US, now);
    check(`${id}: 0 missed, 0 duplicates`, number(now.missed) === 0 && number(now.duplicates) === 0, now);
  }

  await press(page, /reset figures/i);
  await hold(page, HELD_MS, CUT.source);
  for (const id of ids) {
    const now = await until(`${id}: it goes on after a cut`, async () => {
      const now = await lane(page, id);
      return now.state === "live" && number(now["caught up"]) > 0 && now;
    });
    // A cut lasts two seconds, of ten updates each.
    check(`${id}: what had come before the cut is not caught up again`, number(now["caught up"]) < MOST, now);
    check(`${id}: 0 missed, 0 duplicates after it`, number(now.missed) === 0 && number(now.duplicates) === 0, now);
  }
});
