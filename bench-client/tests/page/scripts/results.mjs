// Recorded runs: the list, one run in depth, two laid over each other.

import { api, browse, check, seen, until } from "./browser.mjs";
import { CARD, current, DRAWN, go, INTERACTIVE, OVERLAY, press, RUN_ROW, runRow, tells } from "./page.mjs";

const LIBRARY = /plotly/;

await browse(async ({ page }) => {
  const loaded = [];
  page.on("request", (request) => loaded.push(request.url()));
  const { runs } = (await api("/api/results")).json;
  check("both runs are listed by the server", runs.length === 2, runs);
  await go(page, "/results");
  await until("both are in the list", () => page.evaluate((rows) => document.querySelectorAll(rows).length === 2, RUN_ROW));
  for (const { id } of runs) check(`${id} has a row`, await page.$(runRow(id)));

  const heads = await page.$$("main table thead th button");
  check("the list can be sorted", heads.length > 2, heads.length);
  await heads[1].click();
  await until("a sorted column says so", () => page.$("main th[aria-sort=ascending], main th[aria-sort=descending]"));
  const filter = await page.$("main input[type=search], main input[type=text]");
  check("the list can be filtered", filter);
  await filter.type("again");
  const shown = () => page.evaluate((rows) => [...document.querySelectorAll(rows)].filter((row) => row.getClientRects().length).length, RUN_ROW);
  await until("a filter leaves what fits", async () => (await shown()) === 1);
  await filter.click({ clickCount: 3 });
  await filter.press("Backspace");
  await until("without a filter all are back", async () => (await shown()) === 2);

  const boxes = await page.$$(`${RUN_ROW} input[type=checkbox]`);
  for (const box of boxes) await box.click();
  await press(page, OVERLAY);
  await until("two runs are laid over each other", () => new URL(page.url()).pathname === "/results/overlay");
  await until("their charts stand there", () => page.$(CARD));
  check("their addresses can be passed on", new URL(page.url()).searchParams.getAll("run").length === 2, page.url());
  await page.goBack();
  await until("back leads to the list", () => page.$(RUN_ROW));

  await go(page, `/results/${runs[0].id}`);
  check("a run is part of Results", (await current(page)) === "results");
  const answer = (await api(`/api/results/${runs[0].id}`)).json;
  await until("every chart has a card", () => page.evaluate((card, count) => document.querySelectorAll(card).length === count, CARD, answer.charts.length));
  await until("the verdict stands first", () => tells(page, new RegExp(answer.standing.verdict)));
  // Those below the fold are loaded where one gets there.
  await page.evaluate(() => { for (const picture of document.querySelectorAll("main img[loading=lazy]")) picture.loading = "eager"; });
  await until("every picture is drawn", () => page.evaluate(() => [...document.querySelectorAll("main img")].every((one) => one.complete && one.naturalWidth > 0)));
  check("nothing moved while it was shown", (await seen(page)).shift < 0.05, (await seen(page)).shifts);
  check("the chart library was not loaded for that", !loaded.some((one) => LIBRARY.test(one)));
  for (const { name } of answer.files) {
    const file = await fetch(`${new URL(page.url()).origin}/api/results/${runs[0].id}/files/${name}`);
    check(`${name} can be had`, file.status === 200 && (await file.arrayBuffer()).byteLength > 0);
  }
  const links = await page.$$eval("main a[download]", (all) => all.map((one) => one.href));
  check("and each has a link", answer.files.every(({ name }) => links.some((one) => one.endsWith(`/files/${name}`))), links);

  await press(page, INTERACTIVE);
  await until("a chart becomes one to move", () => page.$(DRAWN));
  check("the library came from here", loaded.some((one) => LIBRARY.test(one)));
  check("tables can be sorted", await page.$("main table th button"));
});
