import styles from "./status_mark.module.css";
import type { Overview, OverviewNode } from "../api/queries";
import { useLanguage } from "../i18n/language";

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

/**
 * Each state has a shape of its own, so that it can be told without colour: disc, triangle, octagon, clock, broken ring.
 */
export function StatusShape({ status }: { status: NodeStatus }) {
  return (
    <svg className={styles.shape} viewBox="0 0 16 16" aria-hidden="true" data-status={status}>
      {status === "up" && (
        <>
          <circle cx="8" cy="8" r="7" fill="currentColor" />
          <path d="m4.900 8.200 2.200 2.200 4-4.600" className={styles.cut} />
        </>
      )}
      {status === "degraded" && (
        <>
          <path d="M8 1.500 15.500 14.500H.5Z" fill="currentColor" />
          <path d="M8 6v4.200M8 12.300v.1" className={styles.cut} />
        </>
      )}
      {status === "down" && (
        <>
          <path d="M5 1h6l4 4v6l-4 4H5l-4-4V5Z" fill="currentColor" />
          <path d="m5.500 5.500 5 5m0-5-5 5" className={styles.cut} />
        </>
      )}
      {status === "waiting" && (
        <g fill="none" stroke="currentColor" strokeWidth="1.800" strokeLinecap="round">
          <circle cx="8" cy="8" r="6.500" />
          <path d="M8 4.500V8l2.300 1.700" />
        </g>
      )}
      {status === "unknown" && (
        <circle
          cx="8"
          cy="8"
          r="6"
          fill="none"
          stroke="currentColor"
          strokeWidth="2"
          strokeDasharray="3.200 2.300"
        />
      )}
    </svg>
  );
}

export function StatusMark({ status }: { status: NodeStatus }) {
  const { text } = useLanguage();
  return (
    <span className={styles.mark} data-status={status}>
      <StatusShape status={status} />
      {text.status[status]}
    </span>
  );
}
