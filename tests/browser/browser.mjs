// Debian's Chromium without a window of any kind, with a fresh profile for each visitor, and what every visit watches for.
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { chromium } from "playwright-core";

const failures = fileURLToPath(new URL("failures", import.meta.url));
const axeSource = readFileSync(
  createRequire(import.meta.url).resolve("axe-core/axe.min.js"),
  "utf8",
);

/** How long a page may take to show what the server knows already. */
export const pageMs = 30_000;

export function launch() {
  return chromium.launch({
    executablePath: process.env.VIGIA_CHROMIUM ?? "/usr/bin/chromium-headless-shell",
    args: [
      "--no-sandbox",
      "--disable-gpu",
      "--disable-quic",
      "--no-first-run",
      "--disable-background-networking",
      "--disable-component-update",
      "--disable-sync",
    ],
  });
}

/** Chromium reports every answer of 4xx as an error; these are answers that a test asks for. */
const expectedComplaints = /status of (401|404)/;

/**
 * Opens a page for one visitor and hands it to `visit`. Fails on any complaint in the console (the security policy's are
 * there) and on any error of a script; keeps a picture of what was seen when something failed.
 */
export async function visit(browser, name, options, walk) {
  const context = await browser.newContext({
    viewport: { width: 1280, height: 860 },
    locale: "es-AR",
    // The dot that pulses with every answer is drawn by the processor here, sixty times a second.
    reducedMotion: "reduce",
    ...options,
  });
  context.setDefaultTimeout(pageMs);
  const page = await context.newPage();
  const complaints = [];
  page.on("console", (message) => {
    if (message.type() === "error" && !expectedComplaints.test(message.text())) {
      complaints.push(message.text());
    }
  });
  page.on("pageerror", (error) => complaints.push(error.message));
  try {
    await walk(page, complaints);
    if (complaints.length > 0) throw new Error(`the browser complains: ${complaints.join("\n")}`);
  } catch (error) {
    mkdirSync(failures, { recursive: true });
    await page.screenshot({ path: `${failures}/${name}.png`, fullPage: true }).catch(() => {});
    error.message += ` (picture: tests/browser/failures/${name}.png)`;
    throw error;
  } finally {
    await context.close();
  }
}

/** Logs in with the keyboard alone. */
export async function logIn(page, url, { user, password }) {
  await page.goto(url);
  await page.locator("input[name=user]").focus();
  await page.keyboard.type(user);
  await page.keyboard.press("Tab");
  await page.keyboard.type(password);
  await page.keyboard.press("Enter");
  await page.getByTestId("total-up").waitFor();
}

/** What axe finds against WCAG 2.2 AA and its best practices on the page as it stands, in words. */
export async function accessibilityProblems(page) {
  // Evaluated through the debugger: the page's own policy would refuse a script element.
  await page.evaluate(axeSource);
  const { violations } = await page.evaluate(() =>
    window.axe.run(document, {
      runOnly: ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"],
      rules: { "label-content-name-mismatch": { enabled: true } },
    }),
  );
  return violations.flatMap(({ id, help, nodes }) =>
    nodes.map(
      ({ html, any }) => `${id}: ${help}: ${html} ${any.map((one) => one.message).join("; ")}`,
    ),
  );
}

/** How many pixels of a canvas are painted. */
export function paintedPixels(canvas) {
  return canvas.evaluate((element) => {
    const { data } = element.getContext("2d").getImageData(0, 0, element.width, element.height);
    let painted = 0;
    for (let at = 3; at < data.length; at += 4) if (data[at] > 0) painted += 1;
    return painted;
  });
}
