import type { Overview, OverviewNode } from "../api/types";

export type NodeStatus = "up" | "degraded" | "down" | "waiting" | "unknown";

const bufferPercentMax = 90;

/**
 * Up, but the agent says that it is in trouble: shown apart, as it is about to lose data. A node that has never sent
 * anything waits: nothing of it is lost or down.
 */
export function statusOf(node: OverviewNode): NodeStatus {
  const isInTrouble =
    node.collector_reachable === false || (node.buffer_percent ?? 0) > bufferPercentMax;
  if (node.status === "unknown" && node.status_reason === "waiting") return "waiting";
  return node.status === "up" && isInTrouble ? "degraded" : node.status;
}

export type UnknownReason = NonNullable<OverviewNode["status_reason"]> | "back" | "disabled";

const partOf: Partial<Record<UnknownReason, Overview["away"][number]>> = {
  collector_away: "collector",
  hot_away: "hot",
  router_away: "router",
};

/**
 * Why a node's state is not known; a part that answers again is not away: what was kept for it is on its way. Nodes of a
 * customer that is not enabled are not watched.
 */
export function reasonOf(
  node: OverviewNode,
  away: Overview["away"],
  isEnabled: boolean,
): UnknownReason | null {
  if (node.status !== "unknown" || node.status_reason === null) return null;
  if (!isEnabled) return "disabled";
  const part = partOf[node.status_reason];
  return part === undefined || away.includes(part) ? node.status_reason : "back";
}
