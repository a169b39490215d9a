import { cleanup, screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { asCustomer, asOperator } from "./testing/open_portal";
import * as recorded from "./testing/recorded";

const nodeRow = (id: string) =>
  screen.getAllByTestId("node").find((row) => row.dataset["node"] === id) ?? document.body;

describe("what cannot be known", () => {
  it("does not say that nothing needs attention while no rule is evaluated", async () => {
    const words =
      "hot store away: nodes that are asked cannot be judged, and no alert is evaluated";
    const own = recorded.overview([recorded.customer("cliente-a", "A", [recorded.node("web-01")])]);
    asOperator("/alerts", {
      "GET /overview": { body: { ...own, warnings: [words], away: ["hot"] } },
    });
    expect(await screen.findByText(/^Our hot store is away/)).toBeTruthy();
    expect(screen.getAllByText("It is not known whether there are alerts")).toHaveLength(2);
    expect(screen.queryByText(/Nothing needs attention|No active alert/)).toBeNull();
    expect(screen.getByTestId("freshness").dataset["look"]).toBe("partial");
    await userEvent.click(screen.getByRole("link", { name: "Nodes" }));
    expect((await screen.findByTestId("total-alerts")).textContent).toBe("–");
    expect(within(nodeRow("web-01")).queryByText("none")).toBeNull();
  });

  it("claims nothing of alerts while Alertmanager is away", async () => {
    const message = "alerts missing: Alertmanager does not answer";
    const away = recorded.overview([
      { ...recorded.customer("cliente-a", "A", [recorded.node("web-01")]), alerts_firing: null },
    ]);
    asOperator("/", {
      "GET /overview": {
        body: {
          ...away,
          warnings: [message],
          away: ["alertmanager"],
          provider_alerts_firing: null,
        },
      },
      "GET /alerts": { status: 503, body: { error: "unavailable", message } },
    });
    await screen.findByText("The alerts are missing: Alertmanager does not answer.");
    expect(within(nodeRow("web-01")).getByTitle(/^It is not known/).textContent).toBe("–");
    expect(screen.getByRole("radio", { name: /^With alerts/ }).parentElement?.textContent).toBe(
      "With alerts–",
    );
    await userEvent.click(screen.getByRole("link", { name: "Alerts" }));
    expect((await screen.findByText("No data just now")).dataset["look"]).toBe("none");
  });

  it("opens the page of an address that carries a query, as Alertmanager's links do", async () => {
    asOperator("/alerts?receiver=customer%2Fcliente-a", {});
    expect((await screen.findByRole("heading", { level: 1 })).textContent).toBe("Alerts");
    expect(screen.getByRole("link", { name: "Alerts" }).getAttribute("aria-current")).toBe("page");
  });
});

describe("the provider's own absence", () => {
  it("does not degrade a node that cannot reach the collector because that is away", async () => {
    const own = recorded.overview([
      recorded.customer("cliente-a", "A", [
        recorded.node("web-01", { collector_reachable: false }),
      ]),
    ]);
    asCustomer("/", { "GET /overview": { body: { ...own, away: ["collector"] } } });
    expect((await screen.findByTestId("total-up")).textContent).toBe("1 / 1");
    expect(within(nodeRow("web-01")).getByText("Up")).toBeTruthy();
    cleanup();
    asCustomer("/", { "GET /overview": { body: own } });
    expect((await screen.findByTestId("total-degraded")).textContent).toBe("1");
  });

  it("does not count as none down what is not known", async () => {
    const lost = recorded.node("web-01", { status: "unknown", status_reason: "router_away" });
    asOperator("/", {
      "GET /overview": {
        body: {
          ...recorded.overview([recorded.customer("cliente-a", "A", [lost])]),
          away: ["router"],
        },
      },
    });
    expect((await screen.findByTestId("total-down")).textContent).toBe("–");
    expect(screen.getByTestId("total-up").textContent).toBe("– / 1");
    expect(screen.getAllByRole("img", { name: "It is not known how the nodes are" })).toHaveLength(
      2,
    );
  });

  it("tells the age of an alert by the server's clock", async () => {
    // Its overview is of 03:00:04, two minutes and four seconds after; this clock says something else.
    asOperator("/alerts", { "GET /alerts": { body: { alerts: [recorded.alert()] } } });
    expect((await screen.findByTestId("alert")).textContent).toMatch(/[12] min ago/);
  });
});

describe("a customer's user", () => {
  it("reads no name of our parts, wherever one could stand", async () => {
    const hidden = recorded.node("web-01", { status: "unknown", status_reason: "router_away" });
    const back = recorded.node("web-02", { status: "unknown", status_reason: "collector_away" });
    const own = recorded.overview([recorded.customer("cliente-a", "A", [hidden, back])]);
    const alerts = "alerts missing: Alertmanager does not answer";
    const cold =
      "cold part missing: the long-term store does not answer, so samples before 2026-11-28T00:01:31.647Z may be missing here";
    asCustomer("/", {
      "GET /overview": {
        body: {
          ...own,
          warnings: ["live state missing: the router does not answer", alerts, "unheard of"],
          away: ["router", "alertmanager"],
        },
      },
      "GET /alerts": { status: 503, body: { error: "unavailable", message: alerts } },
      "GET /customers/cliente-a/nodes/web-01/metrics": {
        body: { ...recorded.nodeMetrics([null, null], [null, null]), warnings: [cold] },
      },
    });
    const titles = () =>
      [...document.querySelectorAll("[title]")].map((one) => one.getAttribute("title")).join(" ");
    const parts = /Alertmanager|router|collector|store|storage|Prometheus|unheard|T00:01/;
    expect(await screen.findByText("interruption at the provider")).toBeTruthy();
    expect(within(nodeRow("web-02")).getByText("data on their way")).toBeTruthy();
    expect(screen.getByRole("main").textContent).not.toMatch(parts);
    expect(titles()).not.toMatch(parts);
    await userEvent.click(screen.getByRole("link", { name: "web-01" }));
    expect(await screen.findByText(/what is older than .* may be missing here/)).toBeTruthy();
    expect(screen.getByRole("main").textContent).not.toMatch(parts);
    await userEvent.click(screen.getByRole("link", { name: "Alerts" }));
    await screen.findByText("No data just now");
    expect(screen.getByRole("main").textContent).not.toMatch(parts);
  });
});
