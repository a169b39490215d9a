// What is set up on the pages, walked through on a real Vigía: nodes, notifications, people, sessions, the audit log.
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { mkdtempSync, rmSync } from "node:fs";
import { createServer } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { accessibilityProblems, launch, logIn, visit } from "./browser.mjs";
import { binaries, vigia, waitFor } from "./vigia.mjs";

/** The discovery of a new target, the wait for its scrape and the server's look. */
const appearSeconds = 90;
const password = "Tr0mbon-lluvia-7";
const unique = (prefix) => `${prefix}-${Date.now().toString(36)}`;

let browser;
let running;

before(async () => {
  running = await vigia();
  browser = await launch();
});

after(async () => {
  await browser?.close();
  await running?.stop();
});

const open = (page, path) => page.goto(`${running.monitor.url}${path}`);

async function freePort() {
  const server = createServer();
  await new Promise((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address();
  await new Promise((resolve) => server.close(resolve));
  return port;
}

/** Runs the pasted lines as a person would, in a folder of their own; `end` ends what they started. */
function paste(lines) {
  const folder = mkdtempSync(join(tmpdir(), "vigia-node-"));
  const child = spawn("sh", ["-c", lines], {
    cwd: folder,
    env: { PATH: `${binaries()}:${process.env.PATH}` },
    stdio: "ignore",
    detached: true,
  });
  return () => {
    process.kill(-child.pid, "SIGKILL");
    rmSync(folder, { recursive: true, force: true });
  };
}

describe("a node", () => {
  it("is added with the lines that the page shows, turns green, and is retired", async () => {
    await visit(browser, "add-node", {}, async (page) => {
      const [customer] = running.customers;
      const node = unique("nuevo");
      await logIn(page, running.monitor.url, running.operator);
      await page.getByRole("button", { name: "Agregar un nodo" }).click();
      const form = page.getByRole("dialog");
      await form.getByLabel("Cliente").selectOption(customer.id);
      await form.getByLabel("Nodo", { exact: true }).fill(node);
      await form.getByRole("radio", { name: /^Consulta/ }).check();
      await form.getByLabel("Dirección de su /health").fill(`127.0.0.1:${await freePort()}`);
      assert.deepEqual(await accessibilityProblems(page), [], "the form of a node");
      await page.keyboard.press("Enter");
      const shown = page.getByRole("region", { name: "Líneas para el nodo" }).locator("pre");
      const lines = await shown.textContent();
      assert.deepEqual(await accessibilityProblems(page), [], "the lines of a node");
      assert.match(
        await page.getByRole("region", { name: /^Para una aplicación de este nodo/ }).textContent(),
        /OTEL_EXPORTER_OTLP_ENDPOINT=http:\/\/localhost:4318/,
      );
      // The one thing changed: applications' ports, which may be another agent's on this machine.
      const end = paste(lines.replace("buffer:", 'relay: {grpc: "", http: ""}\nbuffer:'));
      try {
        await page.getByRole("button", { name: "Listo" }).click();
        await page
          .locator(`[data-node="${node}"][data-status=up]`)
          .waitFor({ timeout: appearSeconds * 1000 });
      } finally {
        end();
      }
      await page.locator(`[data-node="${node}"]`).getByRole("link").first().click();
      await page.getByRole("button", { name: `Retirar el nodo ${node}` }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Retirar" }).click();
      await page.getByRole("heading", { level: 1, name: "Nodos" }).waitFor();
      await page.locator(`[data-node="${node}"]`).waitFor({ state: "detached" });
    });
  });

  it("is changed by an operator, and a refused address says what to write", async () => {
    await visit(browser, "change-node", {}, async (page, complaints) => {
      const [{ customer_id, node_id }] = running.agents;
      await logIn(page, running.monitor.url, running.operator);
      await open(page, `/nodes/${customer_id}/${node_id}`);
      await page.getByRole("button", { name: "Editar", exact: true }).click();
      const form = page.getByRole("dialog");
      const address = form.getByLabel("Dirección de su /health");
      const before = await address.inputValue();
      assert.match(before, /^127\.\d+\.\d+\.\d+:\d+$/);
      await address.fill("169.254.169.254:80");
      await page.keyboard.press("Enter");
      await form.getByText(/^Esta dirección no sirve \(no se admiten direcciones de/).waitFor();
      await address.fill(before);
      await form.getByRole("button", { name: "Guardar" }).click();
      await form.waitFor({ state: "detached" });
      assert.ok(complaints.every((text) => text.includes("400")));
      complaints.length = 0;
    });
  });
});

describe("notifications", () => {
  it("are added and removed by the provider, and seen by their customer alone", async () => {
    const [own, other] = running.customers;
    await visit(browser, "channels", {}, async (page) => {
      await logIn(page, running.monitor.url, running.operator);
      await open(page, `/channels/${own.id}`);
      await page.getByRole("button", { name: "Agregar un canal" }).click();
      const form = page.getByRole("dialog");
      await form.getByRole("radio", { name: /^Webhook/ }).check();
      await form.getByLabel("URL", { exact: true }).fill("https://8.8.8.8/a-secret-path");
      await page.keyboard.press("Enter");
      await page.getByTestId("channel").getByText("https://8.8.8.8").waitFor();
      assert.ok(!(await page.content()).includes("a-secret-path"));
    });
    const seenBy = async (customer, walk) =>
      visit(browser, `channels-${customer.id}`, {}, async (page) => {
        await logIn(page, running.monitor.url, customer);
        await page.getByRole("link", { name: "Avisos" }).click();
        await walk(page);
        assert.equal(await page.getByRole("button", { name: /canal/ }).count(), 0);
      });
    await seenBy(own, (page) => page.getByTestId("channel").getByText("https://8.8.8.8").waitFor());
    await seenBy(other, (page) => page.getByText("Todavía no hay canales").waitFor());
    await visit(browser, "channel-removed", {}, async (page) => {
      await logIn(page, running.monitor.url, running.operator);
      await open(page, `/channels/${own.id}`);
      await page.getByRole("button", { name: "Quitar el canal https://8.8.8.8" }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Quitar" }).click();
      await page.getByText("Todavía no hay canales").waitFor();
    });
  });
});

describe("the team", () => {
  it("gets an operator, who is out as soon as a colleague disables them", async () => {
    const name = unique("eva");
    await visit(browser, "team", {}, async (page) => {
      await logIn(page, running.monitor.url, running.operator);
      await page.getByRole("link", { name: "Equipo" }).click();
      await page.getByRole("button", { name: "Agregar un operador" }).click();
      const form = page.getByRole("dialog");
      await form.getByLabel("Usuario").fill(name);
      // The browser's own words would be in its own language, in a bubble of its own.
      await form.getByLabel("Contraseña").fill("corta");
      await page.keyboard.press("Enter");
      await form.getByText("Escriba al menos 12 caracteres.").waitFor();
      assert.deepEqual(await accessibilityProblems(page), [], "a field that is wrong");
      await form.getByLabel("Contraseña").fill(password);
      await page.keyboard.press("Enter");
      const entry = page.getByTestId("user").filter({ hasText: name });
      await entry.getByText("nunca entró").waitFor();
      await visit(browser, "colleague", {}, async (colleague) => {
        await logIn(colleague, running.monitor.url, { user: name, password });
        await page.getByRole("button", { name: `Desactivar a ${name}` }).click();
        await entry.getByText("desactivado").waitFor();
        await colleague.locator("input[name=password]").waitFor();
      });
    });
  });
});

describe("sessions", () => {
  it("are listed, and one elsewhere is ended from here", async () => {
    const [customer] = running.customers;
    await visit(browser, "sessions", {}, async (page) => {
      await logIn(page, running.monitor.url, customer);
      await visit(browser, "elsewhere", {}, async (elsewhere) => {
        await logIn(elsewhere, running.monitor.url, customer);
        await page.getByRole("button", { name: /Cuenta/ }).click();
        await page.getByRole("menuitem", { name: "Sesiones" }).click();
        await page.getByText("Chrome en Linux").first().waitFor();
        // Older ones may be there as well: all but this one are ended.
        const others = page.getByRole("button", { name: /^Terminar la sesión/ });
        await waitFor(
          "only this session is left",
          async () => {
            const left = await others.count();
            // One that was ended a moment ago may leave the list before this: then the list is looked at again.
            if (left > 0) await others.first().click({ timeout: 5000 });
            return left === 0 && (await page.getByTestId("session").count()) === 1;
          },
          60,
        );
        await page.getByTestId("session").getByText("esta", { exact: true }).waitFor();
        await elsewhere.locator("input[name=password]").waitFor();
      });
    });
  });
});

describe("the audit log", () => {
  it("tells the provider everything and a customer its own, and is checked", async () => {
    const [own, other] = running.customers;
    await visit(browser, "audit", {}, async (page) => {
      await logIn(page, running.monitor.url, running.operator);
      await page.getByRole("link", { name: "Auditoría" }).click();
      await page.getByTestId("audit-entry").getByText("inició sesión").first().waitFor();
      await page.getByRole("button", { name: "Verificar integridad" }).click();
      await page.getByText(/^Íntegro: las \d+ entradas encajan\.$/).waitFor();
    });
    await visit(browser, "audit-customer", {}, async (page) => {
      await logIn(page, running.monitor.url, own);
      await page.getByRole("link", { name: "Auditoría" }).click();
      await page.getByTestId("audit-entry").first().waitFor();
      const seen = await page.getByRole("main").textContent();
      assert.ok(seen.includes(own.user) && !seen.includes(other.id));
      assert.equal(await page.getByRole("button", { name: "Verificar integridad" }).count(), 0);
    });
  });
});

describe("every page", () => {
  /** What opens a dialog on the page of this address. */
  const dialogs = {
    "/channels": ["Agregar un canal"],
    "/team": ["Agregar un operador", "Crear un token"],
    "/customers": ["Usuarios", "Crear un cliente"],
  };

  function paths() {
    const [{ customer_id, node_id }] = running.agents;
    const setUp = ["/channels", "/customers", "/team", "/audit", "/sessions"];
    return [...setUp, "/", "/tokens", `/nodes/${customer_id}/${node_id}`, "/alerts", "/nothing"];
  }

  async function fits(page, width, what) {
    const over = await page.evaluate(
      () => document.documentElement.scrollWidth - window.innerWidth,
    );
    assert.ok(over <= 0, `${what} is ${over} points too wide for ${width}`);
  }

  async function fitsAll(page, widths, what) {
    for (const width of widths) {
      await page.setViewportSize({ width, height: 860 });
      await page.evaluate(() => new Promise((drawn) => requestAnimationFrame(drawn)));
      await fits(page, width, what);
    }
  }

  async function inDialog(page, button, look) {
    await page.getByRole("button", { name: button }).first().click();
    await page.getByRole("dialog").waitFor();
    await look();
    await page.keyboard.press("Escape");
    await page.getByRole("dialog").waitFor({ state: "detached" });
  }

  // What is told to a screen reader does not hang on the width; what fits does, so one of the visits tries the others too.
  for (const [colorScheme, width, others] of [
    ["light", 1280, [320, 768, 887, 1024, 1920]],
    ["dark", 390, []],
  ]) {
    it(`is accessible in ${colorScheme} and fits ${[width, ...others].join(", ")} points`, async () => {
      const height = 860;
      const options = { colorScheme, viewport: { width, height } };
      await visit(browser, `every-page-${colorScheme}`, options, async (page) => {
        await open(page, "/");
        await page.locator("input[name=user]").waitFor();
        assert.deepEqual(await accessibilityProblems(page), [], "log-in");
        await fitsAll(page, [...others, width], "log-in");
        await logIn(page, running.monitor.url, running.operator);
        for (const path of paths()) {
          await open(page, path);
          await page.getByText(/^(Actualizado|Esa página no existe)/).waitFor();
          assert.deepEqual(await accessibilityProblems(page), [], path);
          await fitsAll(page, [...others, width], path);
          for (const button of dialogs[path] ?? []) {
            const what = `${path}: ${button}`;
            await inDialog(page, button, async () => {
              assert.deepEqual(await accessibilityProblems(page), [], what);
              await fits(page, width, what);
            });
          }
          if (others.length === 0) continue;
          await page.setViewportSize({ width: 320, height });
          for (const button of dialogs[path] ?? []) {
            await inDialog(page, button, () => fits(page, 320, `${path}: ${button}`));
          }
          await page.setViewportSize({ width, height });
        }
      });
    });
  }
});
