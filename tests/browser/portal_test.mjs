// The paths that people walk, on a real Vigía. VIGIA_DEMO names one that runs; without it one is started for the test.
import assert from "node:assert/strict";
import { after, before, describe, it } from "node:test";
import { accessibilityProblems, launch, logIn, paintedPixels, visit } from "./browser.mjs";
import { vigia, waitFor } from "./vigia.mjs";

/** A scrape may be 30 s away, the server looks every 5 s and the page asks every 5 s; a pushed node may take 45 s. */
const stateSeconds = 90;
/** Two minutes by the shipped rule, plus evaluation and grouping; far sooner where the rule is shortened. */
const alertSeconds = 240;

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

const row = (page, node) => page.locator(`[data-testid=node][data-node="${node}"]`);
const nodesOf = (customer) => running.agents.filter((agent) => agent.customer_id === customer.id);

async function waitForStatus(page, node, status) {
  await page
    .locator(`[data-node="${node}"][data-status=${status}]`)
    .waitFor({ timeout: stateSeconds * 1000 });
}

async function numberIn(page, node, what) {
  const words = await row(page, node).getByTestId(what).textContent();
  return /^\d{1,3},\d\s?%$/.test(words)
    ? Number(words.replace(",", ".").replace(/\s?%/, ""))
    : null;
}

describe("the provider", () => {
  it("sees every customer's nodes up, with live numbers and curves", async () => {
    await visit(browser, "provider", {}, async (page) => {
      await logIn(page, running.monitor.url, running.operator);
      for (const { name } of running.customers) await page.getByRole("heading", { name }).waitFor();
      for (const { node_id } of running.agents) {
        await waitForStatus(page, node_id, "up");
        await row(page, node_id).getByText("En línea").waitFor();
        for (const what of ["cpu", "memory"]) {
          await waitFor(
            `${what} of ${node_id}`,
            async () => {
              const value = await numberIn(page, node_id, what);
              return value !== null && value >= 0 && value <= 100;
            },
            stateSeconds,
          );
        }
        const curve = row(page, node_id).locator("canvas").first();
        await waitFor(
          `curve of ${node_id}`,
          async () => (await paintedPixels(curve)) > 50,
          stateSeconds,
        );
      }
      await waitFor(
        "🟢 in the title",
        async () => (await page.title()) === "🟢 Nodos · todo en línea · Vigía",
        stateSeconds,
      );
    });
  });

  it("sees the numbers move by themselves", async () => {
    await visit(browser, "live", { reducedMotion: "no-preference" }, async (page) => {
      await logIn(page, running.monitor.url, running.operator);
      const [{ node_id }] = running.agents;
      await waitForStatus(page, node_id, "up");
      const freshness = page.getByTestId("freshness");
      const first = await freshness.textContent();
      assert.match(first, /^Actualizado \d\d:\d\d:\d\d$/);
      // A machine at its limit shows 100 % all the time, an idle one the same memory: both at once stand still nowhere.
      const numbers = async () =>
        (
          await row(page, node_id)
            .getByTestId(/^(cpu|memory)$/)
            .allTextContents()
        ).join(" ");
      const before = await numbers();
      await waitFor("a newer time", async () => (await freshness.textContent()) !== first, 15);
      await waitFor("other numbers", async () => (await numbers()) !== before, 90);
    });
  });

  it("opens a node and chooses how far back its curves go", async () => {
    await visit(browser, "node", {}, async (page) => {
      await logIn(page, running.monitor.url, running.operator);
      const [{ node_id }] = running.agents;
      await row(page, node_id).getByRole("link").click();
      await page.getByRole("heading", { level: 1, name: node_id }).waitFor();
      for (const curve of ["curve-cpu", "curve-memory"]) {
        const canvas = page.getByTestId(curve).locator("canvas");
        await waitFor(curve, async () => (await paintedPixels(canvas)) > 500, stateSeconds);
      }
      // What the step that is not over holds is shown: a young node is in every range.
      for (const range of ["1 h", "24 h", "30 d", "1 año"]) {
        await page.getByRole("radio", { name: range }).check();
        const words = new RegExp(`^CPU, período de ${range}\\. Mínimo \\d`);
        await page.getByRole("img", { name: words }).waitFor();
        const canvas = page.getByTestId("curve-cpu").locator("canvas");
        await waitFor(range, async () => (await paintedPixels(canvas)) > 500, stateSeconds);
      }
      await page.getByTestId("curve-cpu").getByText("Valores en una tabla").click();
      await page.getByRole("region", { name: "CPU: valores" }).getByText(/%$/).first().waitFor();
      assert.deepEqual(await accessibilityProblems(page), [], "a curve's table");
      await page.getByText(/^Horas de \S+ \(GMT/).waitFor();
    });
  });

  it("is told when the server is lost, keeps what it saw, and when it is back", async () => {
    await visit(browser, "lost", {}, async (page, complaints) => {
      await logIn(page, running.monitor.url, running.operator);
      await page.context().setOffline(true);
      await page.getByText("Lo que se ve es de").waitFor({ timeout: 20_000 });
      assert.ok((await page.getByTestId("node").count()) >= running.agents.length);
      await page.context().setOffline(false);
      await page.getByText(/^Actualizado/).waitFor({ timeout: 20_000 });
      // What the browser says of the requests that could not leave.
      assert.ok(
        complaints.every((text) => text.includes("ERR_INTERNET_DISCONNECTED")),
        complaints.join("\n"),
      );
      complaints.length = 0;
    });
  });

  // R-WEB-3, C63.
  it("makes a token that works, sees it once, and revokes it", async () => {
    await visit(browser, "token", {}, async (page) => {
      const [customer] = running.customers;
      await logIn(page, running.monitor.url, running.operator);
      await page.goto(`${running.monitor.url}/tokens/${customer.id}`);
      const name = `prueba-${Date.now()}`;
      await page.getByRole("button", { name: "Crear un token" }).click();
      await page.getByRole("textbox", { name: "Nombre" }).fill(name);
      await page.keyboard.press("Enter");
      const shown = page.getByRole("region", { name: "Token", exact: true }).locator("pre");
      const token = await shown.textContent();
      assert.match(token, /^vgi_\S{20,}$/);
      const command = page.getByRole("region", { name: "Inicie con él un nodo más" });
      assert.match(await command.locator("pre").textContent(), new RegExp(`VIGIA_TOKEN=${token} `));
      const application = page.getByRole("region", { name: /SDK de OpenTelemetry/ });
      assert.match(
        await application.locator("pre").textContent(),
        new RegExp(`Bearer%20${token}\n.*OTEL_RESOURCE_ATTRIBUTES=customer\\.id=${customer.id}$`),
      );
      // What is shown once is not thrown away by a key.
      await page.keyboard.press("Escape");
      assert.equal(await shown.textContent(), token);
      await page.getByRole("button", { name: "Listo" }).click();
      await shown.waitFor({ state: "detached" });
      assert.ok(!(await page.content()).includes(token));

      const send = async () =>
        (
          await fetch(`${running.collector.http}/v1/metrics`, {
            method: "POST",
            headers: { Authorization: `Bearer ${token}`, "Content-Type": "application/x-protobuf" },
            body: "",
          })
        ).status;
      await waitFor("the collector takes the token", async () => (await send()) === 200, 10);
      await page.getByRole("button", { name: `Revocar el token ${name}` }).click();
      await page.getByRole("alertdialog").getByRole("button", { name: "Revocar" }).click();
      const revoked = page.getByTestId("token").filter({ hasText: name }).getByText("revocado");
      await revoked.waitFor();
      await waitFor("the collector refuses the token", async () => (await send()) === 401, 10);
    });
  });
});

describe("a customer", () => {
  it("sees its own nodes and nothing of another's", async () => {
    for (const customer of running.customers) {
      await visit(browser, `customer-${customer.id}`, {}, async (page) => {
        await logIn(page, running.monitor.url, customer);
        const own = nodesOf(customer);
        for (const { node_id } of own) await waitForStatus(page, node_id, "up");
        assert.equal(await page.getByTestId("node").count(), own.length);
        assert.equal(await page.getByTestId("customer").count(), 1);
        assert.equal(await page.getByRole("link", { name: "Clientes" }).count(), 0);
        const foreign = running.agents.filter((agent) => agent.customer_id !== customer.id);
        const seen = await page.content();
        for (const { node_id, customer_id } of foreign) {
          assert.ok(
            !seen.includes(node_id) && !seen.includes(customer_id),
            `${customer.id} sees ${node_id}`,
          );
          await page.goto(`${running.monitor.url}/nodes/${customer_id}/${node_id}`);
          await page.getByText("Este nodo no existe").waitFor();
        }
        const ask = (path) =>
          page.evaluate(async (at) => (await fetch(at)).status, `/api/v1${path}`);
        for (const { node_id, customer_id } of foreign) {
          assert.equal(await ask(`/customers/${customer_id}/nodes/${node_id}/metrics`), 404);
          assert.equal(await ask(`/customers/${customer_id}/tokens`), 404);
        }
      });
    }
  });

  it("reads English when it chooses so, also after coming back", async () => {
    await visit(browser, "language", {}, async (page) => {
      const [customer] = running.customers;
      await logIn(page, running.monitor.url, customer);
      await page.getByRole("radio", { name: "EN" }).check({ force: true });
      await page.getByRole("heading", { name: "Nodes" }).waitFor();
      await page.reload();
      await page.getByRole("heading", { name: "Nodes" }).waitFor();
      const [{ node_id }] = nodesOf(customer);
      await waitForStatus(page, node_id, "up");
      assert.match(await row(page, node_id).getByTestId("memory").textContent(), /^\d+\.\d%$/);
    });
  });

  it("is out after logging out", async () => {
    await visit(browser, "logout", {}, async (page) => {
      await logIn(page, running.monitor.url, running.customers[0]);
      await page.getByRole("button", { name: /Cuenta/ }).click();
      await page.getByRole("menuitem", { name: "Cerrar sesión" }).click();
      await page.locator("input[name=password]").waitFor();
      assert.equal(await page.evaluate(async () => (await fetch("/api/v1/overview")).status), 401);
    });
  });
});

describe("an address", () => {
  it("leads to its page after the log-in, after a reload, and as it was written before", async () => {
    await visit(browser, "address", {}, async (page) => {
      const [{ customer_id, node_id }] = running.agents;
      const place = `/nodes/${customer_id}/${node_id}`;
      const isShown = async (range) => {
        await page.getByRole("heading", { level: 1, name: node_id }).waitFor();
        await waitFor(range, () => page.getByRole("radio", { name: range }).isChecked(), 10);
      };
      await page.goto(`${running.monitor.url}${place}?range=24h`);
      await page.locator("input[name=user]").fill(running.operator.user);
      await page.locator("input[name=password]").fill(running.operator.password);
      await page.keyboard.press("Enter");
      await isShown("24 h");
      await page.getByRole("radio", { name: "1 h" }).check();
      await page.reload();
      await isShown("1 h");
      assert.equal(page.url(), `${running.monitor.url}${place}?range=1h`);
      await page.goto(`${running.monitor.url}/#${place}`);
      await isShown("15 min");
      assert.equal(page.url(), `${running.monitor.url}${place}`);
      await page.getByRole("link", { name: "Todos los nodos" }).click();
      await page.getByTestId("total-up").waitFor();
      await page.goBack();
      await isShown("15 min");
      // A name with a dot is no file's.
      await page.goto(`${running.monitor.url}/nodes/${customer_id}/web.example.com`);
      await page.getByText("Este nodo no existe").waitFor();
    });
  });

  it("of the interface or of a file that is not there is no page", async () => {
    for (const [path, status] of [
      ["/api/v1/nothing", 404],
      ["/api", 404],
      ["/missing.js", 404],
      ["/assets/missing", 404],
      ["/nodes/cliente-a/web.example.com", 200],
    ]) {
      const answer = await fetch(`${running.monitor.url}${path}`, {
        headers: { accept: "text/html" },
      });
      assert.equal(answer.status, status, path);
      const type = answer.headers.get("content-type");
      assert.match(type, status === 200 ? /^text\/html/ : /^application\/json/, path);
    }
  });
});

describe("a stranger", () => {
  it("is told that the log-in is wrong, in the same words for user and password", async () => {
    await visit(browser, "wrong", {}, async (page) => {
      for (const user of [running.operator.user, "nobody-of-this-name"]) {
        await page.goto(running.monitor.url);
        await page.locator("input[name=user]").fill(user);
        await page.locator("input[name=password]").fill("wrong password here");
        await page.keyboard.press("Enter");
        await page
          .getByRole("alert")
          .getByText("El usuario o la contraseña no son correctos.")
          .waitFor();
      }
    });
  });

  // R-WEB-7, R-SEC-12.
  it("gets the pages under a policy that allows nothing inline", async () => {
    const answer = await fetch(running.monitor.url);
    const policy = answer.headers.get("content-security-policy");
    assert.match(policy, /script-src 'self'(;|$)/);
    assert.doesNotMatch(policy, /unsafe/);
  });
});

describe("a node that dies", () => {
  it("turns red and raises CustomerNodeDown, and turns green when its agent is back", async () => {
    await visit(browser, "down", {}, async (page) => {
      // The second customer's first node is one that Prometheus scrapes.
      const agent = nodesOf(running.customers[1])[0];
      await logIn(page, running.monitor.url, running.operator);
      await waitForStatus(page, agent.node_id, "up");
      await agent.kill();
      await waitForStatus(page, agent.node_id, "down");
      await row(page, agent.node_id).getByText("Caído", { exact: true }).waitFor();
      await waitFor("🔴 in the title", async () => /🔴/u.test(await page.title()), 10);
      assert.deepEqual(await accessibilityProblems(page), [], "a node down");
      await page.goto(`${running.monitor.url}/alerts`);
      const alert = page
        .locator("[data-alert=CustomerNodeDown]")
        .filter({ hasText: agent.node_id });
      // Before the rule fires the page says so, and not that nothing needs attention.
      const lead = page.getByText(
        /^(Ninguna alerta activa; 1 nodo caído, se avisa a los|\d alertas? activas?)/,
      );
      await lead.first().waitFor();
      assert.equal(await page.getByText("Nada requiere atención").count(), 0);
      await alert.first().waitFor({ timeout: alertSeconds * 1000 });
      assert.deepEqual(await accessibilityProblems(page), [], "alerts");
      const who = [agent.node_id, agent.customer_id];
      await alert.getByText(`Nodo ${who[0]} del cliente ${who[1]} está caído`).waitFor();
      await page.getByRole("radio", { name: "EN" }).check({ force: true });
      await alert.getByText(`Node ${who[0]} of customer ${who[1]} is down`).waitFor();
      assert.equal(await alert.getByText("está caído").count(), 0);
      await page.getByRole("radio", { name: "ES" }).check({ force: true });
      await page.goto(`${running.monitor.url}/nodes/${agent.customer_id}/${agent.node_id}`);
      await page.getByText("Caído desde").waitFor();
      assert.equal(await page.getByText("accesible").count(), 0);
      await waitFor("the node in the title", async () => /🔴 b-/u.test(await page.title()), 10);
      // Three steps of the curve are missing before it is called a hole.
      const down = page.getByTestId("down-times").first();
      await down.getByText(/^caído \d\d:\d\d/).waitFor({ timeout: stateSeconds * 1000 });
      await page
        .getByTestId("curve-cpu")
        .getByText(/^último /)
        .waitFor();
      assert.deepEqual(await accessibilityProblems(page), [], "a node that is down");
      await agent.start();
      await page.getByText("En línea", { exact: true }).waitFor({ timeout: stateSeconds * 1000 });
      await down.getByText(/^caído \d\d:\d\d/).waitFor();
      await page.goto(`${running.monitor.url}/`);
      await waitForStatus(page, agent.node_id, "up");
      await waitFor("🟢 in the title", async () => /🟢/u.test(await page.title()), stateSeconds);
    });
  });
});
