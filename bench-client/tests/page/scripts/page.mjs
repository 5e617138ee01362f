// Where the page keeps what: every selector and every word that the scripts rely on stands here, once.

import { check, until, url } from "./browser.mjs";

export const VIEWS = [
  { id: "live", address: "/", name: "Live" },
  { id: "results", address: "/results", name: "Results" },
  { id: "how", address: "/how", name: "How it works" },
];

/** Opens an address, and ends when its view stands there. */
export async function go(page, address) {
  await page.goto(url + address, { waitUntil: "domcontentloaded" });
  await until(`${address} shows something`, () => page.evaluate(() => document.querySelector("main h1, main .problem") && !document.querySelector("main .waiting")));
}

export const current = (page) => page.evaluate(() => document.querySelector("nav [aria-current=page]")?.dataset.view);

export const serverState = (page) =>
  page.evaluate(() => ({ state: document.getElementById("server").dataset.state, words: document.getElementById("server-words").textContent }));

/** What the keyboard is at: its words, whether its focus can be seen, and whether it is in main. */
export const focused = (page) =>
  page.evaluate(() => {
    const at = document.activeElement;
    const { outlineStyle, outlineWidth, boxShadow } = getComputedStyle(at);
    const box = at.getBoundingClientRect();
    return {
      words: (at.getAttribute("aria-label") ?? at.labels?.[0]?.textContent ?? at.textContent ?? "").trim().slice(0, 60),
      element: at.localName,
      within: at.closest("main, header, nav")?.closest("main") ? "main" : at.closest("header") ? "header" : "body",
      visible: box.width > 0 && box.height > 0 && box.bottom > 0 && ((outlineStyle !== "none" && parseFloat(outlineWidth) >= 1) || boxShadow !== "none"),
    };
  });

/** A button by its words, within `scope` (a selector). */
export async function button(page, words, scope = "main") {
  const handle = await page.evaluateHandle(
    (source, flags, within) => {
      const wanted = new RegExp(source, flags);
      const named = (one) => `${one.getAttribute("aria-label") ?? ""} ${one.textContent}`.trim();
      const all = document.querySelector(within)?.querySelectorAll("button, [role=button], summary") ?? [];
      return [...all].find((one) => wanted.test(named(one)) && one.getClientRects().length > 0) ?? null;
    },
    words.source,
    words.flags,
    scope,
  );
  return handle.asElement();
}

export async function press(page, words, scope = "main") {
  const found = await until(`there is a button ${words}`, () => button(page, words, scope));
  await found.evaluate((one) => one.scrollIntoView({ block: "center" }));
  await found.click();
}

/** Whether `words` stand anywhere in the view. */
export const tells = (page, words, scope = "main") =>
  page.evaluate((source, flags, within) => new RegExp(source, flags).test(document.querySelector(within)?.textContent ?? ""), words.source, words.flags, scope);

// ---- Live ----

export const LANE = (id) => `main section[aria-labelledby="lane-${id}"]`;
/** Its row in the table of figures; rows stand in the order of the lanes. */
const FIGURES = "main .table table";

/** Figures of a lane as they stand there, by the words above their column; and its state. */
export const lane = (page, id) =>
  page.evaluate(
    (at, figures) => {
      const box = document.querySelector(at);
      const table = document.querySelector(figures);
      if (!box || !table) return null;
      const place = [...box.parentElement.querySelectorAll("section.lane")].indexOf(box);
      const heads = [...table.tHead.rows[0].cells].map((one) => one.textContent.trim());
      const cells = [...table.tBodies[0].rows[place].cells].map((one) => one.textContent.trim());
      return { state: box.dataset.state, ...Object.fromEntries(heads.map((head, column) => [head, cells[column]])) };
    },
    LANE(id),
    FIGURES,
  );

/** "1,234" -> 1234; null where no number stands. */
export const number = (words) => {
  const digits = /-?[\d,]+(\.\d+)?/.exec(words ?? "")?.[0];
  return digits === undefined ? null : Number(digits.replaceAll(",", ""));
};

/** "12.3 ms" -> µs; null for a dash. */
export const micros = (words) => {
  const [, value, unit] = /([\d.,]+)\s*(µs|ms|s)/.exec(words ?? "") ?? [];
  return value === undefined ? null : Number(value.replaceAll(",", "")) * { µs: 1, ms: 1_000, s: 1_000_000 }[unit];
};

/** All lanes deliver. */
export async function racing(page, ids, address = "/") {
  await go(page, address);
  for (const id of ids) {
    await until(`the lane ${id} is live`, async () => {
      const now = await lane(page, id);
      return now && now.state === "live" && number(now.updates) > 0;
    });
  }
  check(`every lane is live: ${ids.join(", ")}`, true);
}

export const CUT = /cut/i;

// ---- the crowd, on Live ----

export const ADD_CROWD = /\+ 1,000 clients/i;
export const REMOVE_CROWD = /no clients/i;
export const CROWD = (id) => `${LANE(id)} .crowd`;

// ---- Results ----

export const RUN_ROW = "main table tbody tr";
export const runRow = (id) => `main tr:has(a[href="/results/${id}"])`;
export const OVERLAY = /^lay .*over each other/i;
export const INTERACTIVE = /^\s*interactive/i;
export const DRAWN = ".js-plotly-plot .main-svg";
export const CARD = "main figure.card";

// ---- How it works ----

export const RECORD_AGAIN = /record .*again/i;
/** Stands among the recorded bytes of every technique. */
export const ANSWERED = /HTTP\/1\.1 (200|101)/;
