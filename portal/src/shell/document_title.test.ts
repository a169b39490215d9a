import { describe, expect, it } from "vitest";
import { en } from "../i18n/en";
import * as recorded from "../testing/recorded";
import { firingIn } from "../live/standing";
import type { Severity } from "../live/severity";
import { titleOf } from "./document_title";

const up = recorded.node("web-01");
const a = recorded.customer("cliente-a", "A", [up, recorded.node("web-02")]);
const well = recorded.overview([a]);
const title = (overview: typeof well, isLost = false, worst: Severity | null = null) =>
  titleOf(overview, isLost, worst, "Nodes", en);

describe("titleOf", () => {
  it("is green only where every node is up, nothing is unknown, and no alert fires", () => {
    expect(title(well)).toBe("🟢 Nodes · all up · Vigía");
    const down = recorded.customer("b", "B", [recorded.node("x", { status: "down" })]);
    const unknown = recorded.customer("b", "B", [recorded.node("x", { status: "unknown" })]);
    expect(title({ ...well, customers: [a, down] })).toBe("🔴 Nodes · 1 down · Vigía");
    expect(title({ ...well, customers: [a, unknown] })).toBe("⚪ Nodes · 1 without data · Vigía");
    const firing = { ...a, alerts_firing: 2 };
    expect(title({ ...well, customers: [firing] })).toBe("🔴 Nodes · 2 alerts · Vigía");
    expect(title({ ...well, provider_alerts_firing: 1 })).toBe("🔴 Nodes · 1 alert · Vigía");
    expect(title({ ...well, away: ["hot"] })).toBe("🟠 Nodes · the service is not well · Vigía");
    expect(title({ ...well, warnings: ["x"] })).toContain("🟠");
    expect(title({ ...well, provider_alerts_firing: null })).toContain("🟠");
    expect(title(well, true)).toBe("⚪ Nodes · no connection · Vigía");
  });

  it("has the sign of the worst alert, and of one not seen yet that of a critical one", () => {
    const firing = { ...well, customers: [{ ...a, alerts_firing: 1 }] };
    expect(title(firing, false, "warning")).toBe("🟠 Nodes · 1 alert · Vigía");
    expect(title(firing, false, "info")).toBe("🔵 Nodes · 1 alert · Vigía");
    expect(title(firing, false, "critical")).toBe("🔴 Nodes · 1 alert · Vigía");
    expect(title(firing)).toBe("🔴 Nodes · 1 alert · Vigía");
  });

  it("tells a node in trouble and one that waits from one that is up or without data", () => {
    const of = (change: Parameters<typeof recorded.node>[1]) =>
      title(recorded.overview([recorded.customer("b", "B", [up, recorded.node("x", change)])]));
    expect(of({ collector_reachable: false })).toBe("🟠 Nodes · 1 degraded · Vigía");
    expect(of({ status: "unknown", status_reason: "waiting" })).toBe(
      "⚪ Nodes · 1 waiting · Vigía",
    );
  });

  it("leaves a disabled customer's nodes out, and says nothing where there is nothing", () => {
    const silent = recorded.customer("b", "B", [recorded.node("x", { status: "unknown" })]);
    expect(title({ ...well, customers: [a, { ...silent, is_enabled: false }] })).toContain("🟢");
    expect(title(recorded.overview([]))).toBe("Nodes · Vigía");
    expect(titleOf(undefined, false, null, "prod-web-01", en)).toBe("prod-web-01 · Vigía");
  });
});

describe("firingIn", () => {
  it("counts the provider's own alerts with the customers'", () => {
    const overview = {
      ...well,
      customers: [{ ...a, alerts_firing: 2 }],
      provider_alerts_firing: 1,
    };
    expect(firingIn(overview)).toBe(3);
    expect(firingIn({ ...overview, customers: [{ ...a, alerts_firing: null }] })).toBeNull();
  });

  it("does not take for none what no rule is evaluated for", () => {
    expect(firingIn({ ...well, away: ["hot"] })).toBeNull();
    expect(firingIn({ ...well, away: ["hot"], provider_alerts_firing: 2 })).toBe(2);
    expect(firingIn({ ...well, away: ["storage"] })).toBe(0);
  });
});
