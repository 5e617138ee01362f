// Names of teams, players and scenarios that would be markup where somebody forgot that they are text.

import { accessible, api, browse, check, fits, looks, until, watch } from "./browser.mjs";
import { CARD, DRAWN, go, INTERACTIVE, press, racing, tells } from "./page.mjs";

/** Long enough for every goal of the file, at its speed. */
const STRETCH_MS = 5_000;
const MADE = "img[src='x'], [onerror], [onmouseover], main script, header script, a[href^='javascript']";

await browse(async ({ page }) => {
  const ids = (await api("/api/transports")).json.map(({ id }) => id);
  const { topics } = (await api("/api/stats")).json;
  check("the server has the names as they are", topics.some(({ home }) => home.startsWith("<img src=x")), topics);
  for (const { topic } of topics) {
    await racing(page, ids, `/?topic=${encodeURIComponent(topic)}`);
    await watch(STRETCH_MS);
    check(`${topic}: no element came of a name`, (await page.$$(MADE)).length === 0);
    await looks(page, { width: 390, height: 844 });
    await fits(page, `${topic}, 390 px`);
    await accessible(page, `${topic}, 390 px`);
    await looks(page);
  }
  await go(page, `/?topic=${encodeURIComponent(topics[0].topic)}`);
  await until("the names can be read as they are written", () => tells(page, /<img src=x onerror=alert\(1\)>/));

  const runs = (await api("/api/results")).json.runs;
  check("the server reads a record with such names", runs.length > 0 && runs.every(({ error }) => !error), runs);
  for (const run of runs) {
    await go(page, `/results/${encodeURIComponent(run.id)}`);
    await until(`${run.id}: its charts stand there`, () => page.$(CARD));
    await press(page, INTERACTIVE);
    await until(`${run.id}: one of them drawn by the library`, () => page.$(DRAWN));
    check(`${run.id}: no element came of a name`, (await page.$$(MADE)).length === 0);
  }
  await go(page, "/results");
  await until("a run's title is text", () => tells(page, /<img src=x/));
  check("the list: no element came of a name", (await page.$$(MADE)).length === 0);
});
