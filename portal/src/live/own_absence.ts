import type { Schemas } from "../api/client";

/** While our own collector is away no node reaches it: that is our trouble, and none of the node's. */
export function withoutOwnAbsence(overview: Schemas["Overview"]): Schemas["Overview"] {
  if (!overview.away.includes("collector")) return overview;
  const customers = overview.customers.map((customer) => ({
    ...customer,
    nodes: customer.nodes.map((node) =>
      node.collector_reachable === false ? { ...node, collector_reachable: null } : node,
    ),
  }));
  return { ...overview, customers };
}
