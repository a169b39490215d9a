import type { Alert, OverviewCustomer, OverviewNode } from "../../api/types";
import type { Dictionary } from "../../i18n/language";
import { byName } from "../../api/owner";
import { countsOf, nodeKey, type Counts } from "../../live/standing";
import { statusOf, type NodeStatus } from "../../live/node_status";

export type Shown = "all" | Exclude<NodeStatus, "up"> | "alerts";

export interface NodeFilter {
  search: string;
  shown: Shown;
}

export const showEverything: NodeFilter = { search: "", shown: "all" };

/** Firing alerts by node, silenced ones left out as in the server's own count; the key is that of `nodeKey`. */
export type AlertsByNode = ReadonlyMap<string, readonly Alert[]>;

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

function matchesWords(
  words: readonly string[],
  customer: OverviewCustomer,
  node: OverviewNode,
  text: Dictionary,
) {
  const { id, region, environment, reach } = node;
  const shown = [text.status[statusOf(node)], text.reach[reach]];
  const all = folded(
    [id, region, environment, reach, customer.id, customer.name, ...shown].join(" "),
  );
  return words.every((word) => all.includes(word));
}

const urgency: Record<NodeStatus, number> = { down: 0, degraded: 1, unknown: 2, waiting: 3, up: 4 };

function byTrouble(a: OverviewNode, b: OverviewNode): number {
  return urgency[statusOf(a)] - urgency[statusOf(b)];
}

/** The customers with those of their nodes that the words find, those in trouble first. */
export function found(
  customers: readonly OverviewCustomer[],
  search: string,
  text: Dictionary,
): OverviewCustomer[] {
  const words = folded(search).split(/\s+/).filter(Boolean);
  return customers
    .map((customer) => ({
      ...customer,
      nodes: customer.nodes
        .filter((node) => matchesWords(words, customer, node, text))
        .sort(byTrouble),
    }))
    .filter(({ nodes }) => nodes.length > 0 || words.length === 0);
}

/**
 * Of what was found, what the filter lets through; customers with a node that is down first, disabled ones last. A
 * customer without any node is kept only where nothing was filtered: it is shown with what to do next. Nodes that are not
 * watched are in no state that one could look for.
 */
export function filtered(
  customers: readonly OverviewCustomer[],
  alerts: AlertsByNode,
  shown: Shown,
): OverviewCustomer[] {
  const isShown = (customer: OverviewCustomer, node: OverviewNode) =>
    shown === "all" || (customer.is_enabled && hasWhat(customer, node));
  const hasWhat = (customer: OverviewCustomer, node: OverviewNode) =>
    shown === "alerts" ? alerts.has(nodeKey(customer.id, node.id)) : statusOf(node) === shown;
  return customers
    .map((customer) => ({
      ...customer,
      nodes: customer.nodes.filter((node) => isShown(customer, node)),
    }))
    .filter(({ nodes }) => nodes.length > 0 || shown === "all")
    .sort(
      (a, b) =>
        Number(b.is_enabled) - Number(a.is_enabled) ||
        Number(b.nodes_down > 0) - Number(a.nodes_down > 0) ||
        byName(a, b),
    );
}

/** Of the nodes that are watched, but for `listed`: the nodes of disabled customers are listed too. */
export interface Totals extends Counts {
  nodes: number;
  listed: number;
  withAlerts: number;
}

export function totals(customers: readonly OverviewCustomer[], alerts: AlertsByNode): Totals {
  const watched = customers.filter((customer) => customer.is_enabled);
  const nodes = watched.flatMap((customer) => customer.nodes);
  const withAlerts = watched.flatMap(({ id, nodes: own }) =>
    own.filter((node) => alerts.has(nodeKey(id, node.id))),
  );
  const listed = customers.reduce((sum, customer) => sum + customer.nodes.length, 0);
  return { ...countsOf(nodes), nodes: nodes.length, listed, withAlerts: withAlerts.length };
}

/** True where of no node anything is known: that none is up or down says nothing. */
export function isNothingKnown({ nodes, unknown, waiting }: Totals): boolean {
  return unknown > 0 && unknown + waiting === nodes;
}
