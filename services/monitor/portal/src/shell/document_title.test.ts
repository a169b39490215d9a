import { describe, expect, it } from "vitest";
import { en } from "../i18n/en";
import * as recorded from "../testing/recorded";
import { firingIn, titleOf } from "./document_title";

const up = recorded.node("web-01");
const a = recorded.customer("cliente-a", "A", [up, recorded.node("web-02")]);
const well = recorded.overview([a]);
const title = (overview: typeof well, isLost = false) => titleOf(overview, isLost, "Nodes", en);

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

  it("leaves a disabled customer's nodes out, and says nothing where there is nothing", () => {
    const silent = recorded.customer("b", "B", [recorded.node("x", { status: "unknown" })]);
    expect(title({ ...well, customers: [a, { ...silent, is_enabled: false }] })).toContain("🟢");
    expect(title(recorded.overview([]))).toBe("Nodes · Vigía");
    expect(titleOf(undefined, false, "prod-web-01", en)).toBe("prod-web-01 · Vigía");
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
});
