// A run that starts while the list is open appears in it, grows, and ends; nobody reloads.

import { api, ask, browse, check, until } from "./browser.mjs";
import { go, RUN_ROW, runRow, tells } from "./page.mjs";

await browse(async ({ page }) => {
  await go(page, "/results");
  await until("an empty list says how a run is made", () => tells(page, /cargo run --release -- run|bench-client run/));
  const loads = await page.evaluate(() => performance.timeOrigin);
  await ask("run");
  await until("the run appears while it runs", async () => (await page.$(runRow("tiny"))) ?? (await tells(page, /running/i)));
  check("it had not ended by then", ["running", "finished"].includes((await api("/api/results")).json.runs[0]?.status));
  check("the run ended well", (await ask("run ended")) === "0");
  await until("the list says that it is finished", async () => (await page.$(runRow("tiny"))) && !(await tells(page, /running/i, runRow("tiny"))));
  check("nothing was loaded anew", loads === (await page.evaluate(() => performance.timeOrigin)));
  check("one run, one row", (await page.$$(RUN_ROW)).length === 1);
});
