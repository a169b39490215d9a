import { cleanup, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { asCustomer, asOperator } from "../../testing/open_portal";
import * as recorded from "../../testing/recorded";

describe("a node's page", () => {
  // jsdom has none, and lays nothing out.
  beforeEach(() => {
    vi.stubGlobal(
      "ResizeObserver",
      class {
        observe() {}
        disconnect() {}
      },
    );
  });

  const openNode = (
    change: Parameters<typeof recorded.node>[1],
    away: ReturnType<typeof recorded.overview>["away"] = [],
    metrics = recorded.nodeMetrics([null, null], [1, 1]),
  ) => {
    const node = recorded.node("web-01", change);
    asOperator("/nodes/cliente-a/web-01", {
      "GET /overview": {
        body: { ...recorded.overview([recorded.customer("cliente-a", "A", [node])]), away },
      },
      "GET /customers/cliente-a/nodes/web-01/metrics": { body: metrics },
    });
  };

  it("says since when a dead node is down, and nothing of its collector", async () => {
    openNode({
      status: "down",
      cpu_percent: null,
      memory_percent: null,
      collector_reachable: null,
    });
    expect(await screen.findByText("Down since")).toBeTruthy();
    expect(screen.queryByText("Collector")).toBeNull();
    expect((await screen.findAllByText(/^The node was down all the time/)).length).toBe(2);
    expect(document.title).toBe("🔴 web-01 · 1 down · Vigía");
  });

  it("offers no range of which nothing can be kept, and has the longest in its place", async () => {
    const range = {
      "GET /customers/cliente-a/nodes/w/metrics": { body: recorded.nodeMetrics([1], [0]) },
    };
    asOperator("/nodes/cliente-a/w?range=2y", range);
    await waitFor(() => {
      expect(screen.queryByRole("radio", { name: "2 y" })).toBeNull();
      expect(screen.getByRole<HTMLInputElement>("radio", { name: "1 y" }).checked).toBe(true);
    });
    cleanup();
    asOperator("/nodes/cliente-a/w?range=2y", {
      ...range,
      "GET /system": { body: { ...recorded.system, kept_days: 0 } },
    });
    await waitFor(() => {
      expect(screen.getByRole<HTMLInputElement>("radio", { name: "2 y" }).checked).toBe(true);
    });
  });

  it("has the range that its address asks for, and keeps a chosen one there", async () => {
    const asked = asOperator("/nodes/cliente-a/web.example?range=24h", {
      "GET /customers/cliente-a/nodes/web.example/metrics": {
        body: recorded.nodeMetrics([null, null], [0, 0]),
      },
    });
    const rangesAsked = () =>
      asked("GET").flatMap(({ url }) => new URL(url).searchParams.get("range") ?? []);
    expect((await screen.findByRole<HTMLInputElement>("radio", { name: "24 h" })).checked).toBe(
      true,
    );
    expect(rangesAsked()).toContain("24h");
    const steps = history.length;
    await userEvent.click(screen.getByRole("radio", { name: "7 d" }));
    expect(location.pathname + location.search).toBe("/nodes/cliente-a/web.example?range=7d");
    await userEvent.click(screen.getByRole("radio", { name: "15 min" }));
    expect(location.pathname + location.search).toBe("/nodes/cliente-a/web.example");
    expect(history.length).toBe(steps);
    expect(rangesAsked()).toContain("7d");
  });

  it("has the usual range where its address asks for none that there is", async () => {
    asOperator("/nodes/cliente-a/web-01?range=5y", {});
    expect((await screen.findByRole<HTMLInputElement>("radio", { name: "15 min" })).checked).toBe(
      true,
    );
  });

  it("does not say down all the time of a range of which a part is not known", async () => {
    const metrics = recorded.nodeMetrics([null, null, null, null], [1, 1, 0, 0], [0, 0, 1, 1]);
    openNode({ status: "down", cpu_percent: null, memory_percent: null }, [], metrics);
    expect((await screen.findAllByText(/^Vigía itself was away in this range/)).length).toBe(2);
    expect(screen.queryByText(/down all the time/)).toBeNull();
    expect(screen.getAllByTestId("down-times")[0]?.textContent).toMatch(/^down .*\d\d:\d\d/);
    expect(screen.getAllByTestId("outage-times").length).toBe(2);
    expect(
      screen.getByRole("img", { name: /CPU, last 15 min.*down .*Vigía was away/ }),
    ).toBeTruthy();
  });

  it("says of which day an old value is", async () => {
    openNode(
      { status: "down", cpu_percent: null, last_seen: "2025-11-25T02:58:30Z" },
      [],
      recorded.nodeMetrics([5, null, null], [0, 1, 1]),
    );
    expect((await screen.findAllByText(/^last 5\.0% \(2\d Nov 2025 \d\d:\d\d\)$/)).length).toBe(2);
  });

  it("does not call away what is back, though the node's data are only on their way", async () => {
    openNode({ status: "unknown", status_reason: "router_away", cpu_percent: null });
    expect((await screen.findByTestId("status-reason")).textContent).toMatch(
      /^Unknown for a moment: the service is just back/,
    );
  });

  it("does not say that a node may be well which was down before", async () => {
    const node = recorded.node("web-01", { status: "unknown", status_reason: "hot_away" });
    const down = recorded.alert({ customer_id: "cliente-a", node_id: "web-01" });
    const open = (role: typeof asOperator) => {
      role("/nodes/cliente-a/web-01", {
        "GET /overview": {
          body: {
            ...recorded.overview([recorded.customer("cliente-a", "A", [node])]),
            away: ["hot"],
          },
        },
        "GET /alerts": { body: { alerts: [down] } },
      });
    };
    const reason = async () => (await screen.findByText(/down before/)).textContent;
    open(asOperator);
    expect(await reason()).toMatch(
      /^Unknown just now, .* The node was down before: alert since .*2026, \d\d:58:00\.$/,
    );
    cleanup();
    open(asCustomer);
    expect(await reason()).toMatch(/^Unknown: your provider's monitoring .* alert since /);
  });

  it("says of a disabled customer's node that it is not watched", async () => {
    const node = recorded.node("web-01", { status: "unknown", status_reason: "unmeasured" });
    const disabled = { ...recorded.customer("cliente-a", "A", [node]), is_enabled: false };
    asOperator("/nodes/cliente-a/web-01", {
      "GET /overview": { body: recorded.overview([disabled]) },
    });
    expect((await screen.findByTestId("status-reason")).textContent).toBe(
      "Not watched: the customer is disabled.",
    );
  });

  it("does not pass for reachable what cannot be known", async () => {
    openNode(
      {
        status: "unknown",
        status_reason: "collector_away",
        cpu_percent: null,
        memory_percent: null,
        collector_reachable: null,
      },
      ["collector"],
    );
    expect((await screen.findByTestId("status-reason")).textContent).toMatch(
      /^Unknown: the collector is away/,
    );
    expect(screen.getByText("Collector").parentElement?.textContent).toBe("Collectorunknown");
  });

  it("says in words which hole of a curve is the node's and which is Vigía's own", async () => {
    asOperator("/nodes/cliente-a/web-01", {
      "GET /overview": {
        body: recorded.overview([recorded.customer("cliente-a", "A", [recorded.node("web-01")])]),
      },
      "GET /customers/cliente-a/nodes/web-01/metrics": {
        body: recorded.nodeMetrics(
          [1, null, null, 2, null, null, 3],
          [0, 1, 1, 0, 0, 0, 0],
          [0, 0, 0, 0, 1, 1, 0],
        ),
      },
    });
    const ours = await screen.findAllByTestId("outage-times");
    expect(ours[0]?.textContent).toMatch(
      /^no data: Vigía was away .*\d\d:\d\d:\d\d–\d\d:\d\d:\d\d$/,
    );
    expect(screen.getAllByTestId("down-times")[0]?.textContent).toMatch(/^down .*\d\d:\d\d/);
    expect(screen.queryByTestId("unknown-times")).toBeNull();
    expect(
      screen.getByRole("img", { name: /CPU, last 15 min.*down .*Vigía was away/ }),
    ).toBeTruthy();
  });
});
