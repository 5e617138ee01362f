// Lighthouse on every view: accessibility, best practices and speed, as it measures a phone.

import { join } from "node:path";

import { api, browse, check, figure, npm, say, url } from "./browser.mjs";

const PERFORMANCE = { "/results": 95 };

await browse(async ({ page, browser }) => {
  const found = await import(join(npm, "node_modules/lighthouse/core/index.js")).catch(() => null);
  if (!found) return say("SKIPPED: Lighthouse is not in target/npm-page: ./test.sh --long installs it");
  const lighthouse = found.default;
  await page.close();
  const runs = (await api("/api/results")).json.runs;
  for (const address of ["/results", "/", "/how", ...runs.slice(0, 1).map(({ id }) => `/results/${id}`)]) {
    const { lhr } = await lighthouse(url + address, {
      port: new URL(browser.wsEndpoint()).port,
      onlyCategories: ["accessibility", "performance", "best-practices"],
      logLevel: "error",
    });
    const score = (category) => Math.round(lhr.categories[category].score * 100);
    const failed = Object.values(lhr.audits).filter(({ score, scoreDisplayMode }) => score === 0 && scoreDisplayMode === "binary");
    figure(`lighthouse ${address}: accessibility ${score("accessibility")}, performance ${score("performance")}, best practices ${score("best-practices")}`);
    check(`${address}: accessibility 100`, score("accessibility") === 100, failed.map(({ id }) => id));
    if (PERFORMANCE[address]) check(`${address}: performance at least ${PERFORMANCE[address]}`, score("performance") >= PERFORMANCE[address], score("performance"));
  }
}, { port: true, tolerate: [/robots\.txt/, /status of 404/] });
