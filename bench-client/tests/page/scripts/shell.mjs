// The shell: three views by address, link and history, all by keyboard; the server's state in the header.

import { browse, check, until, url } from "./browser.mjs";
import { current, focused, go, serverState, VIEWS } from "./page.mjs";

await browse(async ({ page }) => {
  for (const view of VIEWS) {
    await go(page, view.address);
    check(`${view.address} shows ${view.name}`, (await page.title()).startsWith(view.name), await page.title());
    check(`${view.address}: the navigation says where one is`, (await current(page)) === view.id);
    const outline = await page.$$eval("h1, h2, h3, h4", (all) => all.map((one) => Number(one.localName[1])));
    check(`${view.address}: headings step down one by one`, outline.every((level, at) => level <= (at ? outline[at - 1] : 2) + 1), outline);
    const landmarks = await page.evaluate(() => [document.querySelectorAll("main").length, document.querySelectorAll("header.top").length, document.documentElement.lang]);
    check(`${view.address}: one main, one header, a language`, landmarks.join() === "1,1,en", landmarks);
  }
  await until("the header says that the server is up", async () => (await serverState(page)).state === "up");
  check("the header says what the feed is", /updates\/s/.test((await serverState(page)).words), await serverState(page));

  await go(page, "/");
  const loads = await page.evaluate(() => performance.timeOrigin);
  await page.click('nav [data-view="results"]');
  await until("the link leads to Results", async () => (await current(page)) === "results");
  await page.click('nav [data-view="how"]');
  await until("the link leads to How it works", async () => (await current(page)) === "how");
  await page.goBack();
  await until("back leads to Results", async () => (await current(page)) === "results" && new URL(page.url()).pathname === "/results");
  await page.goForward();
  await until("forward leads to How it works", async () => (await current(page)) === "how");
  check("no view was loaded anew", loads === (await page.evaluate(() => performance.timeOrigin)));

  // From the top, by keyboard alone.
  await go(page, "/");
  const walk = [];
  for (let step = 0; step < 6; step += 1) {
    await page.keyboard.press("Tab");
    walk.push(await focused(page));
  }
  check("the first stop skips to the content, then come name and views", walk.slice(0, 5).map((stop) => stop.words).join("|") === "Skip to the content|Real-time transport lab|Live|Results|How it works", walk);
  check("each stop can be seen", walk.every((stop) => stop.visible), walk);
  check("behind the navigation comes the view", walk[5].within === "main", walk);
  await go(page, "/");
  await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  check("the skip link leads to the content", (await page.evaluate(() => document.activeElement.id)) === "view");
  await go(page, "/");
  for (let step = 0; step < 4; step += 1) await page.keyboard.press("Tab");
  await page.keyboard.press("Enter");
  await until("Enter on a view's name shows it", async () => (await current(page)) === "results");
  check("and the content has the focus", (await page.evaluate(() => document.activeElement.id)) === "view");

  const strange = await page.goto(`${url}/results/no-such-run-%3Cimg%20src=x%3E`);
  check("an address of a run that is not there is the page's", strange.status() === 200);
  await until("it says so", () => page.evaluate(() => /no-such-run|no run|not there|unknown|404/i.test(document.querySelector("main").textContent)));
  check("its name is text", (await page.$$("main img[src='x']")).length === 0);
}, { tolerate: [/status of 404/] });
