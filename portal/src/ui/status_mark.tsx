import { useLanguage } from "../i18n/language";
import type { NodeStatus } from "../live/node_status";
import styles from "./status_mark.module.css";

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
