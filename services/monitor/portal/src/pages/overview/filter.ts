import type { Alert, OverviewCustomer, OverviewNode } from "../../api/queries";

export type Shown = "all" | "down" | "alerts";

export interface NodeFilter {
  search: string;
  shown: Shown;
}

export const showEverything: NodeFilter = { search: "", shown: "all" };

/** Firing alerts by node, silenced ones left out as in the server's own count; the key is that of `nodeKey`. */
export type AlertsByNode = ReadonlyMap<string, readonly Alert[]>;

export function nodeKey(customerId: string, nodeId: string): string {
  return `${customerId}/${nodeId}`;
}

export function alertsByNode(alerts: readonly Alert[]): AlertsByNode {
  const byNode = new Map<string, Alert[]>();
  for (const alert of alerts) {
    if (alert.state !== "firing" || alert.customer_id === null || alert.node_id === null) continue;
    const key = nodeKey(alert.customer_id, alert.node_id);
    const list = byNode.get(key);
    if (list === undefined) byNode.set(key, [alert]);
    else list.push(alert);
  }
  return byNode;
}

/** Lower case without accents, so that “region” finds “Región”. */
export function folded(words: string): string {
  return words.normalize("NFD").replace(/\p{M}/gu, "").toLowerCase();
}

function matchesWords(words: readonly string[], customer: OverviewCustomer, node: OverviewNode) {
  const text = folded(
    [node.id, node.region, node.environment, node.reach, customer.id, customer.name].join(" "),
  );
  return words.every((word) => text.includes(word));
}

const urgency = { down: 0, unknown: 1, up: 2 } as const;

/**
 * The customers with the nodes that the filter lets through, those in trouble first. A customer without any node is
 * kept only where nothing was filtered: it is shown with what to do next.
 */
export function filtered(
  customers: readonly OverviewCustomer[],
  alerts: AlertsByNode,
  filter: NodeFilter,
): OverviewCustomer[] {
  const words = folded(filter.search).split(/\s+/).filter(Boolean);
  const isFiltering = words.length > 0 || filter.shown !== "all";
  return customers
    .map((customer) => ({
      ...customer,
      nodes: customer.nodes
        .filter((node) => matchesWords(words, customer, node))
        .filter((node) => filter.shown !== "down" || node.status === "down")
        .filter((node) => filter.shown !== "alerts" || alerts.has(nodeKey(customer.id, node.id)))
        .sort((a, b) => urgency[a.status] - urgency[b.status]),
    }))
    .filter((customer) => customer.nodes.length > 0 || !isFiltering)
    .sort((a, b) => Number(b.nodes_down > 0) - Number(a.nodes_down > 0));
}

export interface Totals {
  nodes: number;
  up: number;
  down: number;
  unknown: number;
  withAlerts: number;
}

export function totals(customers: readonly OverviewCustomer[], alerts: AlertsByNode): Totals {
  const sum = { nodes: 0, up: 0, down: 0, unknown: 0, withAlerts: 0 };
  for (const customer of customers) {
    for (const node of customer.nodes) {
      sum.nodes += 1;
      if (node.status === "up") sum.up += 1;
      if (node.status === "down") sum.down += 1;
      if (node.status === "unknown") sum.unknown += 1;
      if (alerts.has(nodeKey(customer.id, node.id))) sum.withAlerts += 1;
    }
  }
  return sum;
}
