// A browser on the page of one `serve`, and what no page of ours may ever do.
//
//   node <script>.mjs URL FOLDER [words]     URL of `serve`, a folder for the browser's profile
//   -> `ok: words` for each check · `figure: words` · `SKIPPED: words` · `ask: words` to the test, which answers on stdin
//   exit code 0: everything held. Otherwise the last lines say what did not.
//
// The environment names Chromium, the folder of the npm packages and where screenshots are kept (see ../stage.rs).

import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { join } from "node:path";
import { createInterface } from "node:readline";

export const npm = process.env.LAB_NPM;
const require = createRequire(join(npm, "package.json"));
const puppeteer = require("puppeteer-core");
const axe = require("axe-core").source;

const [url, folder, ...words] = process.argv.slice(2);
export { url, words };

/** How long anything that must happen may take; a busy machine takes its time. */
const PATIENCE_MS = 30_000;
/** Errors of the console that a script may expect of Chromium itself, while the server is away. */
export const UNREACHABLE = /net::ERR_(CONNECTION_REFUSED|CONNECTION_RESET|EMPTY_RESPONSE|INCOMPLETE_CHUNKED_ENCODING|SOCKET_NOT_CONNECTED)|WebSocket connection to/;

export const say = (line) => process.stdout.write(`${line}\n`);
export const figure = (line) => say(`figure: ${line}`);

/** Ends the script where `holds` does not; what held is said. */
export function check(what, holds, seen) {
  if (!holds) throw new Error(`${what}${seen === undefined ? "" : `: ${typeof seen === "string" ? seen : JSON.stringify(seen)}`}`);
  say(`ok: ${what}`);
}

/** Asks again until there is a true answer. */
export async function until(what, look, patience = PATIENCE_MS) {
  const end = performance.now() + patience;
  let seen;
  while (performance.now() < end) {
    seen = await look();
    if (seen) return seen;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
  throw new Error(`waited ${patience / 1_000} s in vain: ${what}`);
}

/** For what is watched over a stretch of time, never for what will happen at some moment. */
export const watch = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

export async function api(path, options) {
  const answer = await fetch(url + path, options);
  return { status: answer.status, json: await answer.json().catch(() => null) };
}

const answers = createInterface({ input: process.stdin })[Symbol.asyncIterator]();
/** What only the test can do: "kill", "start" or "stop" the server, a "run", and "run ended". */
export async function ask(what) {
  say(`ask: ${what}`);
  const { value, done } = await answers.next();
  if (done) throw new Error(`nobody answers to ${what}`);
  return value;
}

/** Opens a browser, hands `play` a page of it, and fails on whatever that page, or another one of it, must not do. */
export async function browse(play, { tolerate = [], port = false } = {}) {
  mkdirSync(folder, { recursive: true });
  const browser = await puppeteer.launch({
    executablePath: process.env.LAB_CHROMIUM,
    // The end of a pipe is the end of the browser, however this script ended. Only Lighthouse wants a port.
    pipe: !port,
    userDataDir: folder,
    args: ["--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--enable-precise-memory-info", "--js-flags=--expose-gc"],
  });
  const faults = [];
  const noted = (fault) => tolerate.some((one) => one.test(fault)) || faults.push(fault);
  let failure = null;
  try {
    const page = await pageOf(browser, noted);
    await play({ page, browser, another: () => pageOf(browser, noted), faults });
  } catch (error) {
    failure = error;
    await shotOfFailure(browser);
  } finally {
    await browser.close().catch(() => {});
  }
  for (const fault of faults) say(`fault: ${fault}`);
  if (failure) say(`failed: ${failure.stack}`);
  if (!failure && faults.length === 0) say("ok: no error in the console, nothing refused by the policy, nobody else asked");
  process.exit(failure || faults.length ? 1 : 0);
}

async function shotOfFailure(browser) {
  const [page] = (await browser.pages().catch(() => [])).slice(-1);
  const name = process.argv[1].split("/").pop().replace(".mjs", "");
  if (page) await screenshot(page, `failed-${name}`).catch(() => {});
}

async function pageOf(browser, noted) {
  const page = await browser.newPage();
  page.setDefaultTimeout(PATIENCE_MS);
  const { hostname } = new URL(url);
  page.on("console", (message) => {
    if (message.type() === "error") noted(`console: ${message.text()} ${message.location()?.url ?? ""}`);
  });
  page.on("pageerror", (error) => noted(`uncaught: ${error.stack ?? error}`));
  page.on("dialog", (dialog) => {
    noted(`a dialog: ${dialog.message()}`);
    dialog.dismiss();
  });
  const asked = (address) => {
    const to = new URL(address);
    if (!["data:", "blob:", "about:"].includes(to.protocol) && to.hostname !== hostname) noted(`a request to ${address}`);
  };
  page.on("request", (request) => asked(request.url()));
  // What a thread of the page asks is told by the thread alone; the console's words come with the page's.
  page.on("workercreated", (worker) => {
    worker.client.on("Network.requestWillBeSent", ({ request }) => asked(request.url));
    worker.client.on("Network.webSocketCreated", ({ url }) => asked(url));
    // One that ended meanwhile has nothing to tell.
    worker.client.send("Network.enable").catch(() => {});
    worker.evaluate(refusals).catch(() => {});
  });
  await page.evaluateOnNewDocument(refusals);
  await page.evaluateOnNewDocument(observe);
  await page.setViewport({ width: 1280, height: 900 });
  return page;
}

/** Runs in the page, and in each of its threads. */
function refusals() {
  addEventListener("securitypolicyviolation", (event) => console.error(`refused by the policy: ${event.violatedDirective} ${event.blockedURI} ${event.sourceFile}:${event.lineNumber}`));
}

/** Runs in the page, before anything of it. */
function observe() {
  const seen = { shift: 0, shifts: [], tasks: [], said: 0 };
  Object.defineProperty(globalThis, "__seen", { value: seen });
  addEventListener("unhandledrejection", (event) => console.error(`unhandled rejection: ${event.reason?.stack ?? event.reason}`));
  const keep = (list, one) => list.length < 50 && list.push(one);
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) {
      if (entry.hadRecentInput) continue;
      seen.shift += entry.value;
      keep(seen.shifts, entry.sources.map(({ node }) => node?.id || node?.className || node?.nodeName).join(" "));
    }
  }).observe({ type: "layout-shift", buffered: true });
  new PerformanceObserver((list) => {
    for (const entry of list.getEntries()) keep(seen.tasks, Math.round(entry.duration));
  }).observe({ type: "longtask", buffered: true });
}

/** What the observers above saw since the page was loaded, or since `forget`. */
export const seen = (page) => page.evaluate(() => structuredClone(globalThis.__seen));
export const forget = (page) => page.evaluate(() => Object.assign(globalThis.__seen, { shift: 0, shifts: [], tasks: [] }));

/** light | dark, and whether motion is to be reduced. */
export function looks(page, { scheme = "light", motion = "no-preference", width = 1280, height = 900 } = {}) {
  return Promise.all([
    page.emulateMediaFeatures([
      { name: "prefers-color-scheme", value: scheme },
      { name: "prefers-reduced-motion", value: motion },
    ]),
    page.setViewport({ width, height }),
  ]);
}

/** axe-core on the page as it stands. */
export async function accessible(page, what) {
  await page.evaluate(axe);
  const { violations } = await page.evaluate(() => globalThis.axe.run(document, { resultTypes: ["violations"] }));
  const words = violations.map(({ id, help, nodes }) => `${id} (${help}): ${nodes.slice(0, 3).map((node) => `${node.target} ${node.any[0]?.message ?? ""}`).join(" | ")}`);
  check(`axe finds nothing: ${what}`, violations.length === 0, words.join("\n"));
}

/** No view may be wider than its window. */
export async function fits(page, what) {
  const wide = await page.evaluate(() => {
    const { scrollWidth, clientWidth } = document.scrollingElement;
    if (scrollWidth <= clientWidth) return null;
    const wide = [...document.querySelectorAll("body *")].filter((one) => one.getBoundingClientRect().right > clientWidth + 1);
    return { scrollWidth, clientWidth, wide: wide.slice(0, 5).map((one) => `${one.localName}#${one.id}.${one.className?.baseVal ?? one.className}`) };
  });
  check(`fits into its window: ${what}`, !wide, wide);
}

export async function screenshot(page, name, options = {}) {
  const into = process.env.LAB_SCREENSHOTS;
  mkdirSync(into, { recursive: true });
  await page.screenshot({ path: join(into, `${name}.png`), ...options });
}

/** JS heap in bytes of the page and of its threads, after the garbage is gone. */
export async function heap(page) {
  const own = await page.createCDPSession();
  let bytes = 0;
  for (const session of [own, ...page.workers().map(({ client }) => client)]) {
    await session.send("HeapProfiler.collectGarbage");
    bytes += (await session.send("Runtime.getHeapUsage")).usedSize;
  }
  await own.detach();
  return bytes;
}
