import type { Alert, Overview } from "../../api/types";
import type { Dictionary } from "../../i18n/language";
import {
  areAlertsKnown,
  areAlertsKnownOf,
  countsOf,
  firingIn,
  leftOutOf,
  watchedNodes,
} from "../../live/standing";
import { statusOf } from "../../live/node_status";
import { nodeKey } from "../../live/standing";

/** How long a node is down before its alert. */
export interface NodeDownFor {
  seconds: number;
  words: string;
}

/**
 * Nodes that are down: how many have no alert that fires, how many of those have none at all yet, and of how many it is
 * due: they have been silent for that long.
 */
function downWithoutAlert(overview: Overview, alerts: readonly Alert[], afterSeconds: number) {
  const now = Date.parse(overview.generated_at);
  const keysOf = (some: readonly Alert[]) =>
    new Set(some.map(({ customer_id, node_id }) => nodeKey(customer_id ?? "", node_id ?? "")));
  const firing = keysOf(alerts.filter(({ state }) => state === "firing"));
  const any = keysOf(alerts);
  const counts = { quiet: 0, untold: 0, overdue: 0 };
  for (const customer of overview.customers) {
    // Where alerts are left out, a node without one in the list may have one.
    if (!customer.is_enabled) continue;
    if (areAlertsKnown(overview) && !areAlertsKnownOf(customer.id, overview)) continue;
    for (const node of customer.nodes) {
      const key = nodeKey(customer.id, node.id);
      if (statusOf(node) !== "down" || firing.has(key)) continue;
      counts.quiet += 1;
      if (any.has(key)) continue;
      counts.untold += 1;
      const seen = node.last_seen === null ? 0 : Date.parse(node.last_seen);
      if (now - seen >= afterSeconds * 1000) counts.overdue += 1;
    }
  }
  return counts;
}

/** What stands in the way of calm though no alert fires: “1 node down, alert after 2 minutes”. */
function nodesInTrouble(
  overview: Overview,
  alerts: readonly Alert[],
  nodeDownFor: NodeDownFor | null,
  text: Dictionary,
): string[] {
  const words = text.alerts;
  const { degraded, unknown } = countsOf(watchedNodes(overview));
  const { quiet, untold, overdue } = downWithoutAlert(overview, alerts, nodeDownFor?.seconds ?? 0);
  const isAwaited = untold === quiet && nodeDownFor !== null && areAlertsKnown(overview);
  const awaited = (after: string) =>
    overdue === 0 ? words.nodesDownUntold(quiet, after) : words.nodesDownNoAlert(quiet);
  const down = isAwaited ? awaited(nodeDownFor.words) : words.nodesDown(quiet);
  return [
    ...(quiet > 0 ? [down] : []),
    ...(degraded > 0 ? [words.nodesDegraded(degraded)] : []),
    ...(unknown > 0 ? [words.nodesUnknown(unknown)] : []),
  ];
}

/**
 * The page's first sentence. “Nothing needs attention” is said only where nothing fires, is down, in trouble, unknown or
 * away; `nodeDownFor` is null where it is not known.
 */
export function alertsSummary(
  alerts: readonly Alert[],
  overview: Overview | undefined,
  nodeDownFor: NodeDownFor | null,
  text: Dictionary,
): string | null {
  if (overview === undefined) return null;
  const words = text.alerts;
  const count = (state: Alert["state"]) => alerts.filter((alert) => alert.state === state).length;
  const [listed, silenced, inhibited] = [count("firing"), count("silenced"), count("inhibited")];
  const isShortened = leftOutOf(overview).count > 0;
  const firing = isShortened ? Math.max(listed, firingIn(overview) ?? 0) : listed;
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
