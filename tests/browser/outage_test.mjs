// What the curves show while Vigía itself is away, beside a hole that is the node's own. Needs a Vigía of its own.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { setTimeout as pause } from "node:timers/promises";
import { accessibilityProblems, launch, logIn, visit } from "./browser.mjs";
import { vigia, waitFor } from "./vigia.mjs";

const isOurs = process.env.VIGIA_DEMO === undefined;
/** Of a hole that is told from one that comes of our own outage: what this is known by is left between them. */
const holeMs = 65_000;
const apartMs = 40_000;
const stateSeconds = 150;
/** Where pictures of it are kept; nowhere unless named. */
const pictures = process.env.VIGIA_PICTURES;

let browser;
let running;

before(async () => {
  if (!isOurs) return;
  running = await vigia();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await running?.stop();
});

const curve = (page) => page.getByTestId("curve-cpu");
const valuesOf = (page) =>
  curve(page)
    .getByRole("img")
    .getAttribute("aria-label")
    .catch(() => "");

async function picture(page, name) {
  if (pictures === undefined) return;
  await pause(1500);
  await page.screenshot({ path: `${pictures}/${name}.png`, fullPage: true });
}

/** How many of the canvas' pixels have about this colour, however much it is let through. */
function pixelsOf(page, color) {
  return curve(page)
    .locator("canvas")
    .evaluate((element, [red, green, blue]) => {
      const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
      let found = 0;
      for (let at = 0; at < data.length; at += 4) {
        const isPainted = data[at + 3] > 60;
        const differences = [red - data[at], green - data[at + 1], blue - data[at + 2]];
        if (isPainted && Math.max(...differences.map(Math.abs)) < 12) found += 1;
      }
      return found;
    }, color);
}

async function open(page, agent) {
  await logIn(page, running.monitor.url, running.operator);
  await page.goto(`${running.monitor.url}/nodes/${agent.customer_id}/${agent.node_id}`);
  await curve(page).locator("canvas").waitFor();
}

describe("an outage of Vigía itself", () => {
  it(
    "is hatched and named, in both languages and schemes, beside the node's own hole",
    { skip: !isOurs },
    async () => {
      const [agent] = running.agents;
      await visit(browser, "outage", {}, async (page) => {
        await open(page, agent);
        await waitFor("some curve", async () => /Mínimo \d/.test(await valuesOf(page)), 90);
        await pause(holeMs);
        await agent.kill();
        await pause(holeMs);
        await agent.start();
        const down = curve(page).getByTestId("down-times");
        await down.getByText(/^caído \d\d:\d\d/).waitFor({ timeout: stateSeconds * 1000 });
        await pause(apartMs);
        assert.equal(await page.getByTestId("outage-times").count(), 0);
        await running.order("stop collector");
        const ours = curve(page).getByTestId("outage-times");
        const spanish = /^sin datos: interrupción de Vigía \d\d:\d\d/;
        await ours.getByText(spanish).waitFor({ timeout: stateSeconds * 1000 });
        await pause(20_000);
        assert.match(await valuesOf(page), /caído \d.*sin datos: interrupción de Vigía \d/);
        assert.equal((await down.textContent()).split(",").length, 1, "one hole of the node");
        assert.deepEqual(await accessibilityProblems(page), [], "light");
        await picture(page, "outage-es-light");
        // The bars over and under the bands, in the theme's own colours (light: --warning, --down).
        assert.ok((await pixelsOf(page, [147, 90, 0])) > 20, "a hatched band");
        assert.ok((await pixelsOf(page, [191, 32, 52])) > 20, "a full band");
        await curve(page).getByText("Valores en una tabla").click();
        await curve(page).getByText("Interrupción de Vigía").first().waitFor();
        await curve(page).getByText("Caído", { exact: true }).first().waitFor();
      });
      const dark = { colorScheme: "dark", locale: "en-GB" };
      await visit(browser, "outage-dark", dark, async (page) => {
        await open(page, agent);
        const english = /^no data: Vigía was away \d\d:\d\d/;
        await curve(page).getByTestId("outage-times").getByText(english).waitFor();
        await curve(page)
          .getByTestId("down-times")
          .getByText(/^down \d\d:\d\d/)
          .waitFor();
        assert.deepEqual(await accessibilityProblems(page), [], "dark");
        await picture(page, "outage-en-dark");
        await page.setViewportSize({ width: 390, height: 844 });
        await picture(page, "outage-en-dark-phone");
      });
      await running.order("start collector");
      await visit(browser, "outage-over", {}, async (page) => {
        await open(page, agent);
        await waitFor(
          "what the agent kept fills the hole",
          async () => (await page.getByTestId("outage-times").count()) === 0,
          stateSeconds,
        );
        await curve(page)
          .getByTestId("down-times")
          .getByText(/^caído \d\d:\d\d/)
          .waitFor();
        await picture(page, "outage-over");
      });
    },
  );
});
