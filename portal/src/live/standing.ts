import type { Alert, Overview, OverviewCustomer, OverviewNode } from "../api/types";
import { severityOf, type Severity } from "./severity";
import { statusOf, type NodeStatus } from "./node_status";

/** One key for a node among those of all customers. */
export function nodeKey(customerId: string, nodeId: string): string {
  return `${customerId}/${nodeId}`;
}

/** How many nodes are in each of the states that the pages show. */
export type Counts = Record<NodeStatus, number>;

export function countsOf(nodes: readonly OverviewNode[]): Counts {
  const counts = { up: 0, degraded: 0, down: 0, waiting: 0, unknown: 0 };
  for (const node of nodes) counts[statusOf(node)] += 1;
  return counts;
}

/** The nodes that are watched: those of a disabled customer are silent by intent. */
export function watchedNodes(overview: Overview): OverviewNode[] {
  return overview.customers.flatMap(({ is_enabled, nodes }) => (is_enabled ? nodes : []));
}

/** While the hot store is away no rule is evaluated: that none fires says nothing. */
function ifEvaluated(firing: number | null, overview: Overview): number | null {
  return firing === 0 && overview.away.includes("hot") ? null : firing;
}

/** Active alerts of one customer; null where they are not known. */
export function firingOf(customer: OverviewCustomer, overview: Overview): number | null {
  return ifEvaluated(customer.alerts_firing, overview);
}

/** Active alerts of all customers and the provider's own; null where they are not known. */
export function firingIn(overview: Overview | undefined): number | null {
  if (overview === undefined || overview.provider_alerts_firing === null) return null;
  let sum = overview.provider_alerts_firing;
  for (const { alerts_firing } of overview.customers) {
    if (alerts_firing === null) return null;
    sum += alerts_firing;
  }
  return ifEvaluated(sum, overview);
}

/** False where a node without an alert may well have one: no rule is evaluated, or the alerts cannot be read. */
export function areAlertsKnown(overview: Overview | undefined): boolean {
  return (
    overview !== undefined &&
    overview.provider_alerts_firing !== null &&
    !overview.away.some((part) => part === "hot" || part === "alertmanager")
  );
}

/** False where a node of this customer without an alert in the list may well have one. */
export function areAlertsKnownOf(customerId: string, overview: Overview | undefined): boolean {
  const customer = overview?.customers.find(({ id }) => id === customerId);
  return (
    areAlertsKnown(overview) &&
    customer !== undefined &&
    customer.alerts_firing !== null &&
    customer.alerts_left_out === 0 &&
    !customer.are_more_left_out
  );
}

/** Active alerts that are not in the list, as of whoever has very many. */
export interface LeftOut {
  count: number;
  /** There are more even than that. */
  isAtLeast: boolean;
}

export function leftOutOf(overview: Overview): LeftOut {
  return {
    count: overview.customers.reduce((sum, { alerts_left_out }) => sum + alerts_left_out, 0),
    isAtLeast: overview.customers.some(({ are_more_left_out }) => are_more_left_out),
  };
}

/** The alert that fires because this node was down when it was last known, which stands while we are blind. */
export function downAlertOf(
  alerts: readonly Alert[] | undefined,
  customerId: string,
  nodeId: string,
): Alert | undefined {
  return alerts?.find(
    ({ name, state, customer_id, node_id }) =>
      name === "CustomerNodeDown" &&
      state === "firing" &&
      customer_id === customerId &&
      node_id === nodeId,
  );
}

const severities: readonly Severity[] = ["critical", "warning", "info"];

/** Of the alerts that fire; null where none does. */
export function worstSeverity(alerts: readonly Alert[]): Severity | null {
  const firing = alerts.filter(({ state }) => state === "firing");
  return (
    severities.find((one) => firing.some(({ severity }) => severityOf(severity) === one)) ?? null
  );
}
