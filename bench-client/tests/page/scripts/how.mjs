// How it works: a chapter for each technique, with the bytes of this very server.

import { api, browse, check, until } from "./browser.mjs";
import { ANSWERED, button, go, press, RECORD_AGAIN, tells } from "./page.mjs";

await browse(async ({ page }) => {
  const transports = (await api("/api/transports")).json;
  await go(page, "/how");
  for (const { id, label } of transports) {
    check(`${id}: the overview leads there`, await page.$(`main a[href="/how/${id}"]`));
    await go(page, `/how/${id}`);
    await until(`${id}: its name stands there`, async () => (await page.evaluate(() => document.querySelector("main").textContent)).includes(label));
    await until(`${id}: the request it made of this server, byte by byte`, () => tells(page, new RegExp(`GET /feed/${id}`)));
    await until(`${id}: and the answer`, () => tells(page, ANSWERED));
    let asked = 0;
    page.on("request", (request) => (asked += request.url().includes(`/api/wire/${id}`)));
    await press(page, RECORD_AGAIN);
    await until(`${id}: recorded again when asked`, () => asked > 0);
  }
  const links = await page.$$eval('main a[href^="/how/"]', (all) => [...new Set(all.map((one) => one.getAttribute("href")))]);
  await go(page, "/how");
  links.push(...(await page.$$eval('main a[href^="/how/"]', (all) => all.map((one) => one.getAttribute("href")))));
  for (const link of new Set(links)) {
    await go(page, link);
    check(`${link} is a chapter`, (await page.$$("main h1, main h2")).length > 0 && !(await tells(page, /could not be shown/)));
  }
  check("steps can be gone through by hand", await button(page, /play|step|next/i).then(async (found) => found ?? (await go(page, `/how/${transports[0].id}`), button(page, /play|step|next/i))));
});
