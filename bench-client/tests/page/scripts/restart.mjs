// The server is killed and starts anew at the same address: the page says so, and every lane goes on with the new epoch, by a reset.

import { api, ask, browse, check, until, UNREACHABLE } from "./browser.mjs";
import { lane, number, racing, serverState, tells } from "./page.mjs";

await browse(async ({ page }) => {
  const ids = (await api("/api/transports")).json.map(({ id }) => id);
  const { epoch } = (await api("/api/clock")).json;
  await racing(page, ids);
  await until("the header says that the server is up", async () => (await serverState(page)).state === "up");
  await ask("kill");
  await until("the header says that the server is gone", async () => (await serverState(page)).state === "gone");
  check("in words", /does not answer/.test((await serverState(page)).words), await serverState(page));
  for (const id of ids) {
    await until(`${id}: does not pretend to be live`, async () => (await lane(page, id)).state !== "live");
  }
  await ask("start");
  await until("the header says that it is back", async () => (await serverState(page)).state === "up");
  check("it is another start", (await api("/api/clock")).json.epoch !== epoch);
  for (const id of ids) {
    const now = await until(`${id}: live again, with a reset`, async () => {
      const now = await lane(page, id);
      return now.state === "live" && number(now.resets) >= 1 && now;
    });
    check(`${id}: a reset is no loss in silence, and no duplicate`, number(now.missed) === 0 && number(now.duplicates) === 0, now);
  }
  const token = await page.evaluate(async () => {
    const { server } = await import("/web/lib/server.js");
    const { send } = await import("/web/lib/api.js");
    return (await send("POST", "/api/demo/feed", { rate_hz: 5 }, server.page.token)).rate_hz;
  });
  check("the page knows the new start's token", token === 5, token);
  await until("and shows what it changed", () => tells(page, /5 updates\/s/, "header"));
}, { tolerate: [UNREACHABLE] });
