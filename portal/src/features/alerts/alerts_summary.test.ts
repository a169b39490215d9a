import { describe, expect, it } from "vitest";
import { en } from "../../i18n/en";
import { es } from "../../i18n/es";
import * as recorded from "../../testing/recorded";
import { areAlertsKnownOf, leftOutOf } from "../../live/standing";
import { alertsSummary } from "./alerts_summary";

const node = recorded.node;
const down = node("edge-02", { status: "down" });
const overviewOf = (...nodes: (typeof down)[]) =>
  recorded.overview([recorded.customer("cliente-b", "B", nodes)]);
const well = overviewOf(node("a"));
const summary = (overview: typeof well, ...alerts: ReturnType<typeof recorded.alert>[]) =>
  alertsSummary(alerts, overview, { seconds: 120, words: "2 minutes" }, en);

describe("alertsSummary", () => {
  it("says that nothing needs attention only where that is known", () => {
    expect(summary(well)).toBe("Nothing needs attention");
    expect(summary({ ...well, away: ["hot"], warnings: ["x"] })).toBe(en.alerts.notKnown);
    expect(summary({ ...well, away: ["alertmanager"] })).toBe(en.alerts.notKnown);
    expect(summary({ ...overviewOf(down), away: ["hot"] })).toBe(
      `${en.alerts.notKnown}; 1 node down`,
    );
    expect(summary({ ...well, provider_alerts_firing: null })).toBe(en.alerts.notKnown);
    expect(summary({ ...well, away: ["storage"], warnings: ["x"] })).toBe("No active alert");
    expect(alertsSummary([], undefined, null, en)).toBeNull();
  });

  it("counts alerts that are left out, and says of no node then that it has none", () => {
    const customer = { ...recorded.customer("cliente-b", "B", [down]), alerts_firing: 1500 };
    const shortened = recorded.overview([{ ...customer, alerts_left_out: 500 }]);
    expect(summary(shortened, recorded.alert())).toBe("1500 active alerts");
    expect(leftOutOf(shortened)).toEqual({ count: 500, isAtLeast: false });
    expect(areAlertsKnownOf("cliente-b", shortened)).toBe(false);
    expect(areAlertsKnownOf("cliente-b", overviewOf(down))).toBe(true);
    expect(en.alerts.leftOut("500", false)).toBe("And 500 more, which are not listed.");
    expect(es.alerts.leftOut("500", true)).toBe("Y más de 500 más, que no se listan.");
  });

  it("names the nodes that no alert speaks of yet", () => {
    expect(summary(overviewOf(node("a"), down))).toBe(
      "No active alert; 1 node down, alert after 2 minutes",
    );
    expect(alertsSummary([], overviewOf(down), { seconds: 120, words: "2 minutos" }, es)).toBe(
      "Ninguna alerta activa; 1 nodo caído, alerta a los 2 minutos",
    );
    const unknown = node("u", { status: "unknown", status_reason: "hot_away" });
    expect(summary(overviewOf(unknown, node("d", { buffer_percent: 99 })))).toBe(
      "No active alert; 1 node degraded; 1 node without data",
    );
    const waiting = node("new", { status: "unknown", status_reason: "waiting" });
    expect(summary(overviewOf(node("a"), waiting))).toBe("Nothing needs attention");
    const disabled = recorded.customer("c", "C", [down]);
    expect(summary(recorded.overview([{ ...disabled, is_enabled: false }]))).toBe(
      "Nothing needs attention",
    );
  });

  it("promises no alert that is overdue", () => {
    const at = (last_seen: string | null) => node("edge-02", { status: "down", last_seen });
    expect(summary(overviewOf(at("2026-11-25T02:58:05Z")))).toContain("alert after 2 minutes");
    const overdue = "No active alert; 1 node down, no alert yet";
    expect(summary(overviewOf(at("2026-11-25T02:58:04Z")))).toBe(overdue);
    expect(summary(overviewOf(at(null)))).toBe(overdue);
    expect(summary(overviewOf(down, at("2026-11-25T02:45:00Z")))).toContain(
      "2 nodes down, no alert yet",
    );
  });

  it("counts each alert by the word that stands beside it", () => {
    const list = [
      recorded.alert({ id: "1" }),
      recorded.alert({ id: "2", state: "silenced" }),
      recorded.alert({ id: "3", state: "inhibited" }),
      recorded.alert({ id: "4", state: "inhibited" }),
    ];
    expect(summary(overviewOf(down), ...list)).toBe(
      "1 active alert, 1 silenced, 2 explained by another alert",
    );
    expect(summary(overviewOf(down), recorded.alert({ state: "silenced" }))).toBe(
      "No active alert, 1 silenced; 1 node down",
    );
  });
});
