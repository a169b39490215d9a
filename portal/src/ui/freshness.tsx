import type { Freshness } from "../api/freshness_of";
import { useLanguage } from "../i18n/language";
import styles from "./freshness.module.css";
import { Warnings } from "./warnings";

type Look = "whole" | "partial" | "none" | "lost";

function lookOf({ updatedAt, isLost, refusal, isPartial = false }: Freshness): Look {
  if (isLost) return "lost";
  if (updatedAt === null || refusal !== null) return "none";
  return isPartial ? "partial" : "whole";
}

/**
 * “Updated 12:03:45”, or that the connection is lost; green only where all is there. The loss is announced to screen
 * readers once.
 */
export function FreshnessMark(freshness: Freshness) {
  const { text, format } = useLanguage();
  const { updatedAt, isLost, refusal } = freshness;
  const without = refusal === null ? text.connection.waiting : text.connection.refused;
  const label = updatedAt ? text.connection.updated(format.clock(updatedAt)) : without;
  return (
    <span
      className={styles.mark}
      title={updatedAt === null ? undefined : format.momentInZone(updatedAt)}
      data-look={lookOf(freshness)}
      data-testid="freshness"
    >
      <span className={styles.dot} aria-hidden="true" key={updatedAt?.getTime()} />
      {isLost ? text.connection.lost : label}
    </span>
  );
}

export function ConnectionBanner({ updatedAt, isLost, refusal }: Freshness) {
  const { text, format } = useLanguage();
  return (
    <div role="status" className={styles.live} data-head>
      {refusal !== null && <Warnings messages={[refusal]} />}
      {isLost && (
        <div className={styles.banner}>
          <svg viewBox="0 0 20 20" aria-hidden="true" className={styles.icon}>
            <path d="M10 2.500 18.500 17h-17Z" />
            <path d="M10 8v4M10 14.200v.1" />
          </svg>
          <div>
            <strong>{text.connection.lost}</strong>
            <p>
              {updatedAt
                ? text.connection.lostDetail(format.timeOrMoment(updatedAt))
                : text.connection.lostNoData}
            </p>
          </div>
        </div>
      )}
    </div>
  );
}
