import type { Alert, Overview } from "../../api/queries";
import type { Dictionary } from "../../i18n/language";
import { areAlertsKnown, countsOf, watchedNodes } from "../../ui/standing";
import { statusOf } from "../../ui/status_mark";
import { nodeKey } from "../overview/filter";

/** Nodes that are down: how many have no alert that fires, and how many of those have none at all yet. */
function downWithoutAlert(overview: Overview, alerts: readonly Alert[]) {
  const keysOf = (some: readonly Alert[]) =>
    new Set(some.map(({ customer_id, node_id }) => nodeKey(customer_id ?? "", node_id ?? "")));
  const firing = keysOf(alerts.filter(({ state }) => state === "firing"));
  const any = keysOf(alerts);
  const counts = { quiet: 0, untold: 0 };
  for (const customer of overview.customers) {
    if (!customer.is_enabled) continue;
    for (const node of customer.nodes) {
      const key = nodeKey(customer.id, node.id);
      if (statusOf(node) !== "down" || firing.has(key)) continue;
      counts.quiet += 1;
      if (!any.has(key)) counts.untold += 1;
    }
  }
  return counts;
}

/** What stands in the way of calm though no alert fires: “1 node down, told after 2 minutes”. */
function nodesInTrouble(
  overview: Overview,
  alerts: readonly Alert[],
  nodeDownFor: string | null,
  text: Dictionary,
): string[] {
  const words = text.alerts;
  const { degraded, unknown } = countsOf(watchedNodes(overview));
  const { quiet, untold } = downWithoutAlert(overview, alerts);
  const down =
    untold === quiet && nodeDownFor !== null && areAlertsKnown(overview)
      ? words.nodesDownUntold(quiet, nodeDownFor)
      : words.nodesDown(quiet);
  return [
    ...(quiet > 0 ? [down] : []),
    ...(degraded > 0 ? [words.nodesDegraded(degraded)] : []),
    ...(unknown > 0 ? [words.nodesUnknown(unknown)] : []),
  ];
}

/**
 * The page's first sentence. “Nothing needs attention” is said only where nothing fires, is down, in trouble, unknown or
 * away; `nodeDownFor` is how long a node is down before the rule fires, in words.
 */
export function alertsSummary(
  alerts: readonly Alert[],
  overview: Overview | undefined,
  nodeDownFor: string | null,
  text: Dictionary,
): string | null {
  if (overview === undefined) return null;
  const words = text.alerts;
  const count = (state: Alert["state"]) => alerts.filter((alert) => alert.state === state).length;
  const [firing, silenced, inhibited] = [count("firing"), count("silenced"), count("inhibited")];
  const trouble = nodesInTrouble(overview, alerts, nodeDownFor, text);
  const isCalm = trouble.length === 0 && overview.warnings.length === 0;
  const none = areAlertsKnown(overview) ? (isCalm ? words.calm : words.noneActive) : words.notKnown;
  const first = [
    firing > 0 ? words.active(firing) : none,
    ...(silenced > 0 ? [words.silencedCount(silenced)] : []),
    ...(inhibited > 0 ? [words.inhibitedCount(inhibited)] : []),
  ];
  return [first.join(", "), ...trouble].join("; ");
}
