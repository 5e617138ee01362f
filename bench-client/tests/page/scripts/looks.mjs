// Every view in light, in dark, on a phone and on a wall: legible, within its window, without motion where none is wanted; and as pictures.

import { accessible, api, browse, check, fits, looks, screenshot, until, watch } from "./browser.mjs";
import { ANSWERED, go, racing, tells } from "./page.mjs";

const SHAPES = {
  light: { scheme: "light" },
  dark: { scheme: "dark" },
  phone: { scheme: "light", width: 390, height: 844 },
  "phone-dark": { scheme: "dark", width: 390, height: 844 },
};
/** Nothing but its widths is looked at here. */
const WIDE = { width: 2560, height: 1440 };
/** For a picture with something in it: what the race has shown by then. */
const RACE_MS = 6_000;

await browse(async ({ page }) => {
  const transports = (await api("/api/transports")).json.map(({ id }) => id);
  const runs = (await api("/api/results")).json?.runs ?? [];
  const addresses = {
    live: "/",
    results: "/results",
    run: runs.length ? `/results/${runs[0].id}` : null,
    overlay: runs.length > 1 ? `/results/overlay?run=${runs[0].id}&run=${runs[1].id}` : null,
    how: "/how",
    "how-technique": `/how/${transports[0]}`,
  };
  for (const [view, address] of Object.entries(addresses)) {
    if (!address) continue;
    for (const [shape, how] of Object.entries(SHAPES)) {
      await looks(page, how);
      if (view === "live") {
        await racing(page, transports);
        await watch(shape === "light" ? RACE_MS : 0);
      } else await go(page, address);
      if (view === "how-technique") await until("the bytes of an exchange stand there", () => tells(page, ANSWERED));
      await screenshot(page, `${view}-${shape}`, shape === "light" && view === "live" ? {} : { fullPage: true });
      await fits(page, `${address}, ${shape}`);
      // The phone's colours are those of the desk; what differs there is which words stand where.
      if (shape !== "phone-dark") await accessible(page, `${address}, ${shape}`);
    }
    await looks(page, WIDE);
    await fits(page, `${address}, 2560 px`);
    await looks(page, { motion: "reduce" });
    const moving = await page.evaluate(() => document.getAnimations().filter((one) => one.playState === "running" && one.effect.getComputedTiming().duration > 1).map((one) => one.animationName ?? one.transitionProperty));
    check(`nothing is animated where motion is to be reduced: ${address}`, moving.length === 0, moving);
  }
});
