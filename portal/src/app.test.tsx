import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { App } from "./app";
import { newQueryClient } from "./api/query_client";
import { LanguageProvider } from "./i18n/language";
import * as recorded from "./testing/recorded";

const bothCustomers = recorded.overview([
  recorded.customer("cliente-a", "Empresa XYZ", [recorded.node("web-01")]),
  recorded.customer("cliente-b", "Comercial del Sur", [
    recorded.node("edge-02", { status: "down", cpu_percent: null, memory_percent: null }),
  ]),
]);

function open(place = "/") {
  history.replaceState(null, "", place);
  vi.spyOn(navigator, "languages", "get").mockReturnValue(["en-GB"]);
  return render(
    <QueryClientProvider client={newQueryClient()}>
      <LanguageProvider>
        <App />
      </LanguageProvider>
    </QueryClientProvider>,
  );
}

function asOperator(more: Parameters<typeof recorded.record>[0] = {}) {
  return recorded.record({
    "GET /session": { body: recorded.operatorSession },
    "GET /overview": { body: bothCustomers },
    "GET /alerts": { body: { alerts: [recorded.alert()] } },
    ...more,
  });
}

const nodeRow = (id: string) =>
  screen.getAllByTestId("node").find((row) => row.dataset["node"] === id) ?? document.body;

describe("overview", () => {
  it("shows each node's state in words, and its numbers in the user's locale", async () => {
    asOperator();
    open();
    await screen.findByText("Empresa XYZ");
    const up = within(nodeRow("web-01"));
    expect(up.getByText("Up")).toBeTruthy();
    expect(up.getByTestId("cpu").textContent).toBe("12.3%");
    const down = within(nodeRow("edge-02"));
    expect(down.getByText("Down")).toBeTruthy();
    expect(down.getByTestId("cpu").textContent).toBe("–");
    expect(await down.findByText("Node down")).toBeTruthy();
    expect(document.title).toBe("🔴 Nodes · 1 down · Vigía");
  });

  it("tells apart a node whose agent cannot reach the collector", async () => {
    const troubled = recorded.node("web-01", { collector_reachable: false });
    const body = recorded.overview([recorded.customer("cliente-a", "Empresa XYZ", [troubled])]);
    asOperator({ "GET /overview": { body } });
    open();
    await screen.findByText("Empresa XYZ");
    expect(within(nodeRow("web-01")).getByText("Degraded")).toBeTruthy();
    expect(screen.getByTestId("total-up").textContent).toBe("0 / 1");
    expect(screen.getByTestId("total-degraded").textContent).toBe("1");
  });

  it("counts the provider's own alerts in tile, navigation and title", async () => {
    asOperator({
      "GET /overview": { body: { ...recorded.overview([]), provider_alerts_firing: 1 } },
    });
    open();
    expect((await screen.findByTestId("total-alerts")).textContent).toBe("1");
    expect(screen.getByRole("link", { name: "Alerts 1" })).toBeTruthy();
    expect(document.title).toBe("🔴 Nodes · 1 alert · Vigía");
  });

  it("does not call a node down that never was, or that our own absence hides", async () => {
    const silent = { status: "unknown", cpu_percent: null, memory_percent: null } as const;
    const nodes = [
      recorded.node("new", { ...silent, status_reason: "waiting", last_seen: null }),
      recorded.node("hidden", { ...silent, status_reason: "collector_away" }),
    ];
    const words =
      "collector away: nodes that send their health cannot be judged; agents keep their data";
    const body = recorded.overview([recorded.customer("cliente-a", "Empresa XYZ", nodes)]);
    asOperator({ "GET /overview": { body: { ...body, warnings: [words], away: ["collector"] } } });
    open();
    await screen.findByText("Empresa XYZ");
    expect(within(nodeRow("new")).getByText("Waiting")).toBeTruthy();
    expect(within(nodeRow("hidden")).getByText("the collector is away")).toBeTruthy();
    expect(screen.getByTestId("total-down").textContent).toBe("–");
    expect(screen.getByTestId("total-unknown").textContent).toBe("1");
    expect(screen.getByTestId("total-waiting").textContent).toBe("1");
    expect(screen.getByText(/^Our collector is away: nothing new arrives/)).toBeTruthy();
    expect(document.title).toBe("🟠 Nodes · the service is not well · Vigía");
  });

  // R-SEC-12, D19.
  it("shows labels as text, whatever stands in them", async () => {
    const hostile = recorded.node("web-01", { region: "<img src=x onerror=alert(1)>" });
    const body = recorded.overview([recorded.customer("cliente-a", "<b>XYZ</b>", [hostile])]);
    asOperator({ "GET /overview": { body } });
    open();
    expect(await screen.findByText("<b>XYZ</b>", { exact: false })).toBeTruthy();
    expect(document.querySelector("img[onerror]")).toBeNull();
    expect(document.querySelector("h2 b")).toBeNull();
  });

  it("says what is missing when the server says so", async () => {
    const known = "alerts missing: Alertmanager does not answer";
    const body = { ...bothCustomers, warnings: [known, "cold part missing"] };
    asOperator({ "GET /overview": { body } });
    open();
    expect(
      await screen.findByText("The alerts are missing: Alertmanager does not answer."),
    ).toBeTruthy();
    expect(screen.getByText("The server says: cold part missing")).toBeTruthy();
  });

  it("says that the connection is lost and keeps what it has", async () => {
    let isUp = true;
    asOperator({
      "GET /overview": () => {
        if (!isUp) throw new TypeError("Failed to fetch");
        return { body: bothCustomers };
      },
    });
    open();
    await screen.findByText("Empresa XYZ");
    expect(screen.getByTestId("freshness").textContent).toMatch(/^Updated \d\d:00:04$/);
    isUp = false;
    await waitFor(() => {
      expect(screen.getByTestId("freshness").textContent).toBe("No connection to the server");
    });
    expect(screen.getByText("Empresa XYZ")).toBeTruthy();
  });

  it("tells a part that is missing from a server that is lost", async () => {
    const message = "alerts missing: Alertmanager does not answer";
    asOperator({ "GET /alerts": { status: 503, body: { error: "unavailable", message } } });
    open("/alerts");
    expect(
      await screen.findByText("The alerts are missing: Alertmanager does not answer."),
    ).toBeTruthy();
    expect(screen.queryByText("No connection to the server")).toBeNull();
    expect(screen.queryByText("Loading…")).toBeNull();
  });

  it("says in the reader's language what is wrong", async () => {
    asOperator();
    open("/alerts");
    expect(await screen.findByText("Node edge-02 of customer cliente-b is down")).toBeTruthy();
    await userEvent.click(screen.getByRole("radio", { name: "ES" }));
    expect(await screen.findByText("Nodo edge-02 del cliente cliente-b está caído")).toBeTruthy();
    expect(screen.queryByText(/Node edge-02/)).toBeNull();
  });

  it("says after how long a node that is down raises an alert here", async () => {
    asOperator({
      "GET /alerts": { body: { alerts: [] } },
      "GET /system": { body: { ...recorded.system, node_down_for: "30s", is_shortened: true } },
    });
    open("/alerts");
    expect(await screen.findByText(/a node has been down for 30 seconds/)).toBeTruthy();
  });

  it("tells an operator without customers what to do next", async () => {
    asOperator({ "GET /overview": { body: recorded.overview([]) } });
    open();
    const next = await screen.findByText("Create a customer");
    expect(next.getAttribute("href")).toBe("/customers");
  });

  it("searches, and offers the way back when nothing is found", async () => {
    asOperator();
    open();
    await userEvent.type(await screen.findByRole("searchbox"), "edge");
    await waitFor(() => {
      expect(screen.getAllByTestId("node")).toHaveLength(1);
    });
    await userEvent.type(screen.getByRole("searchbox"), "nothing");
    await userEvent.click(await screen.findByText("Show all nodes"));
    expect(screen.getAllByTestId("node")).toHaveLength(2);
  });
});

describe("the own password", () => {
  it("says that the current one is wrong in words that tell what to do", async () => {
    asOperator({
      "POST /session/password": {
        status: 403,
        body: { error: "forbidden", message: "current_password is wrong" },
      },
    });
    open();
    await userEvent.click(await screen.findByLabelText("Account: admin"));
    await userEvent.click(await screen.findByText("Change password"));
    await userEvent.type(await screen.findByLabelText("Current password"), "wrong");
    await userEvent.type(screen.getByLabelText("New password"), "Tr0mbon-lluvia-7{Enter}");
    expect(await screen.findByText("The current password is not right.")).toBeTruthy();
  });

  // That a short one is, too, is seen by tests/browser: jsdom knows no field that is too short.
  it("that is missing is asked for in the reader's language, not in the browser's", async () => {
    asOperator();
    open();
    await userEvent.click(await screen.findByLabelText("ES"));
    await userEvent.click(await screen.findByLabelText("Cuenta: admin"));
    await userEvent.click(await screen.findByText("Cambiar contraseña"));
    await userEvent.type(await screen.findByLabelText("Contraseña nueva"), "{Enter}");
    expect(await screen.findAllByText("Complete este campo.")).toHaveLength(2);
    const next = screen.getByLabelText("Contraseña nueva");
    expect(next.getAttribute("aria-invalid")).toBe("true");
    expect(document.activeElement).toBe(screen.getByLabelText("Contraseña actual"));
  });
});

describe("a page that is not there", () => {
  it("has a heading and a title", async () => {
    asOperator();
    open("/nothing");
    expect((await screen.findByRole("heading", { level: 1 })).textContent).toBe(
      "There is no such page",
    );
    expect(document.title).toContain("There is no such page");
  });
});

describe("a customer's user", () => {
  it("is told of our own trouble in its own words", async () => {
    const words =
      "collector away: nodes that send their health cannot be judged; agents keep their data";
    const own = recorded.overview(bothCustomers.customers.slice(0, 1));
    recorded.record({
      "GET /session": { body: recorded.customerSession },
      "GET /overview": { body: { ...own, warnings: [words], away: ["collector"] } },
      "GET /alerts": { body: { alerts: [] } },
    });
    open();
    expect(await screen.findByText(/^Your provider's monitoring has an interruption/)).toBeTruthy();
  });

  it("gets no page of the provider's", async () => {
    recorded.record({
      "GET /session": { body: recorded.customerSession },
      "GET /overview": { body: recorded.overview(bothCustomers.customers.slice(0, 1)) },
      "GET /alerts": { body: { alerts: [] } },
    });
    open("/customers");
    expect(await screen.findByText("There is no such page")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Customers" })).toBeNull();
  });
});

describe("the language", () => {
  it("is switched at once and remembered", async () => {
    asOperator();
    open();
    await userEvent.click(await screen.findByLabelText("ES"));
    expect(await screen.findByText("Caído")).toBeTruthy();
    expect(document.documentElement.lang).toBe("es");
    expect(localStorage.getItem("vigia.language")).toBe("es");
  });
});
