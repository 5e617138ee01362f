// By keyboard alone: every view can be walked through and left again, each stop can be seen, and what a mouse does is done by Enter and Space.

import { api, browse, check, looks, until } from "./browser.mjs";
import { current, DRAWN, focused, go, lane, LANE, racing, runRow } from "./page.mjs";

/** More stops than any view has; whoever is still within then is trapped. */
const STOPS_MAX = 250;

/** All stops from the top of the page, until the browser's own begin or the first comes again. */
async function walk(page) {
  const stops = [];
  for (let step = 0; step < STOPS_MAX; step += 1) {
    await page.keyboard.press("Tab");
    const stop = await focused(page);
    if (stop.element === "body" || (stops.length > 1 && stop.words === stops[0].words && stop.within === stops[0].within)) return stops;
    stops.push(stop);
  }
  throw new Error(`no end after ${STOPS_MAX} stops: ${JSON.stringify(stops.slice(-3))}`);
}

/** Tab by Tab to what `selector` means. */
async function reach(page, what, selector) {
  for (let step = 0; step < STOPS_MAX; step += 1) {
    await page.keyboard.press("Tab");
    if (await page.evaluate((one) => document.activeElement.matches(one), selector)) return check(`by Tab one gets to ${what}`, true);
  }
  throw new Error(`no Tab leads to ${what}: ${selector}`);
}

await browse(async ({ page }) => {
  const ids = (await api("/api/transports")).json.map(({ id }) => id);
  await looks(page, { motion: "reduce" });
  for (const address of ["/", "/results", "/results/curated", "/how", `/how/${ids[0]}`, "/how/frames"]) {
    await go(page, address);
    const stops = await walk(page);
    check(`${address}: ${stops.length} stops, and out again`, stops.length > 6);
    const unseen = stops.filter(({ visible }) => !visible);
    check(`${address}: each stop can be seen`, unseen.length === 0, unseen);
    const nameless = stops.filter(({ words }) => words === "");
    check(`${address}: each stop has a name`, nameless.length === 0, nameless);
  }

  await racing(page, ids);
  await reach(page, "a lane's cut", `${LANE(ids[0])} button[aria-label*="cut" i]`);
  await page.keyboard.press("Enter");
  await until("Enter cuts it", async () => (await lane(page, ids[0])).state !== "live");
  await until("and it goes on by itself", async () => (await lane(page, ids[0])).state === "live");
  await go(page, "/");
  await reach(page, "a button that stays pressed", "main button[aria-pressed=false]");
  await page.keyboard.press("Space");
  check("Space presses it", await page.evaluate(() => document.activeElement.getAttribute("aria-pressed") === "true"));

  await go(page, "/results");
  await until("the list is there", () => page.$(runRow("curated")));
  await reach(page, "a column's head", "main thead th button");
  await page.keyboard.press("Space");
  await until("Space sorts by it", () => page.$("main th[aria-sort]"));
  await reach(page, "a run's box", "main tbody input[type=checkbox]");
  await page.keyboard.press("Space");
  check("Space chooses it", await page.evaluate(() => document.activeElement.checked));
  await reach(page, "a run", 'main tbody a[href^="/results/"]');
  await page.keyboard.press("Enter");
  await until("Enter opens it", () => /^\/results\/curated/.test(new URL(page.url()).pathname) && page.$("main figure.card"));
  await reach(page, "a chart's button", "main figure.card button[aria-pressed=false]");
  await page.keyboard.press("Enter");
  await until("Enter makes it one to move", () => page.$(DRAWN));

  await go(page, "/how");
  await reach(page, "a chapter", 'main a[href^="/how/"]');
  await page.keyboard.press("Enter");
  await until("Enter opens it", async () => (await current(page)) === "how" && new URL(page.url()).pathname !== "/how");
});
