// Without --demo: the page shows what there is, and says how to get the rest.

import { api, browse, check, until } from "./browser.mjs";
import { ADD_CROWD, button, go, racing, tells } from "./page.mjs";

await browse(async ({ page }) => {
  const ids = (await api("/api/transports")).json.map(({ id }) => id);
  await racing(page, ids);
  await until("how to change the feed is said", () => tells(page, /--demo/));
  const add = await button(page, ADD_CROWD);
  check("no crowd can be added", !add || (await add.evaluate((one) => one.disabled)));
  await go(page, "/results");
  await until("how a run is made is said", () => tells(page, /bench-client run|-- run/));
  await go(page, "/how");
  check("the chapters are there", await page.$('main a[href^="/how/"]'));
});
