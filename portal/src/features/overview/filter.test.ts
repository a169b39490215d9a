import { describe, expect, it } from "vitest";
import { alert, customer, node } from "../../testing/recorded";
import { es } from "../../i18n/es";
import { alertsByNode, filtered, found, isNothingKnown, showEverything, totals } from "./filter";

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
  const { search, shown: only } = { ...showEverything, ...change };
  return filtered(found(customers, search, es), alerts, only).map(({ id, nodes }) => [
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

  it("finds the words that are shown of a node's state and of how it is reached", () => {
    expect(shown({ search: "caido" })).toEqual([["cliente-b", "edge-02"]]);
    expect(shown({ search: "sin datos" })).toEqual([["cliente-a", "db-01"]]);
    expect(shown({ search: "xyz consulta" })).toEqual([["cliente-a", "db-01", "web-01"]]);
  });

  it("tells waiting from without data, and in trouble from well", () => {
    const nodes = [
      node("well"),
      node("new", { status: "unknown", status_reason: "waiting" }),
      node("lost", { status: "unknown", status_reason: "hot_away" }),
      node("full", { buffer_percent: 95 }),
    ];
    const own = [customer("cliente-d", "D", nodes)];
    const only = (what: (typeof showEverything)["shown"]) =>
      filtered(found(own, "", es), alerts, what).flatMap((one) => one.nodes.map(({ id }) => id));
    expect(only("all")).toEqual(["full", "lost", "new", "well"]);
    expect(only("waiting")).toEqual(["new"]);
    expect(only("unknown")).toEqual(["lost"]);
    expect(only("degraded")).toEqual(["full"]);
    expect(totals(own, alerts)).toMatchObject({ up: 1, degraded: 1, unknown: 1, waiting: 1 });
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
      listed: 4,
      up: 2,
      degraded: 0,
      down: 1,
      unknown: 1,
      waiting: 0,
      withAlerts: 1,
    });
  });
});

describe("a disabled customer", () => {
  const nodes = [node("off-01", { status: "unknown", status_reason: "unmeasured" })];
  const disabled = { ...customer("cliente-d", "Antigua", nodes), is_enabled: false };
  const all = [disabled, ...customers];

  it("stands last, and is in no state that one could look for", () => {
    const ids = (what: (typeof showEverything)["shown"]) =>
      filtered(found(all, "", es), alerts, what).map(({ id }) => id);
    expect(ids("all")).toEqual(["cliente-b", "cliente-a", "cliente-c", "cliente-d"]);
    expect(ids("unknown")).toEqual(["cliente-a"]);
  });

  it("is not counted among those that are watched", () => {
    expect(totals(all, alerts)).toEqual({ ...totals(customers, alerts), listed: 5 });
  });
});

describe("isNothingKnown", () => {
  it("is true only where no node is up, down or degraded", () => {
    const of = (...nodes: ReturnType<typeof node>[]) =>
      isNothingKnown(totals([customer("c", "C", nodes)], alerts));
    const lost = node("lost", { status: "unknown", status_reason: "router_away" });
    const waiting = node("new", { status: "unknown", status_reason: "waiting" });
    expect(of(lost, waiting)).toBe(true);
    expect(of(lost, node("web-01"))).toBe(false);
    expect(of(waiting)).toBe(false);
    expect(of()).toBe(false);
  });
});
