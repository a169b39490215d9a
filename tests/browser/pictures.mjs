// Takes the README's pictures from the Vigía that VIGIA_DEMO names, best after it has run for a quarter of an hour.
import { fileURLToPath } from "node:url";
import { launch, logIn } from "./browser.mjs";
import { vigia } from "./vigia.mjs";

const folder = fileURLToPath(new URL("../../docs/pictures", import.meta.url));
/** Curves are asked for once they are on the screen, and fade in. */
const settleMs = 4000;

const running = await vigia();
const browser = await launch();
const [{ customer_id, node_id }] = running.agents;
for (const [language, locale] of [
  ["es", "es-AR"],
  ["en", "en-GB"],
]) {
  for (const [name, path, colorScheme] of [
    ["overview", "/", "light"],
    ["node", `/nodes/${customer_id}/${node_id}`, "dark"],
  ]) {
    const context = await browser.newContext({
      viewport: { width: 1280, height: 720 },
      deviceScaleFactor: 1.5,
      locale,
      colorScheme,
    });
    const page = await context.newPage();
    await logIn(page, running.monitor.url, running.operator);
    await page.goto(`${running.monitor.url}${path}`);
    await page.locator("canvas").first().waitFor();
    await page.waitForTimeout(settleMs);
    await page.screenshot({ path: `${folder}/portal-${name}-${language}.png` });
    await context.close();
  }
}
await browser.close();
await running.stop();
