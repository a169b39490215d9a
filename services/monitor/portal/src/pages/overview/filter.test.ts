import { describe, expect, it } from "vitest";
import { alert, customer, node } from "../../testing/recorded";
import { alertsByNode, filtered, showEverything, totals } from "./filter";

const customers = [
  customer("cliente-a", "Empresa XYZ", [node("web-01"), node("db-01", { status: "unknown" })]),
  customer("cliente-b", "Comercial del Sur", [
    node("edge-01", { region: "São Paulo" }),
    node("edge-02", { status: "down" }),
  ]),
  customer("cliente-c", "Nueva", []),
];
const alerts = alertsByNode([alert(), alert({ id: "2", node_id: "edge-01", state: "silenced" })]);

function shown(change: Partial<typeof showEverything>) {
  return filtered(customers, alerts, { ...showEverything, ...change }).map(({ id, nodes }) => [
    id,
    ...nodes.map((one) => one.id),
  ]);
}

describe("filtered", () => {
  it("puts trouble first, among customers and among their nodes", () => {
    expect(shown({})).toEqual([
      ["cliente-b", "edge-02", "edge-01"],
      ["cliente-a", "db-01", "web-01"],
      ["cliente-c"],
    ]);
  });

  it("finds every word, whatever its case and accents", () => {
    expect(shown({ search: "sao  EDGE" })).toEqual([["cliente-b", "edge-01"]]);
    expect(shown({ search: "empresa" })).toEqual([["cliente-a", "db-01", "web-01"]]);
    expect(shown({ search: "empresa edge" })).toEqual([]);
  });

  it("shows only what is down, or only what has a firing alert", () => {
    expect(shown({ shown: "down" })).toEqual([["cliente-b", "edge-02"]]);
    expect(shown({ shown: "alerts" })).toEqual([["cliente-b", "edge-02"]]);
  });
});

describe("totals", () => {
  it("counts nodes by state", () => {
    expect(totals(customers, alerts)).toEqual({
      nodes: 4,
      up: 2,
      down: 1,
      unknown: 1,
      withAlerts: 1,
    });
  });
});
