import { useLanguage } from "../i18n/language";
import styles from "./freshness.module.css";
import { Warnings } from "./warnings";

/** What a page shows of its main query: when the data is from, and whether the server still answers. */
export interface Freshness {
  updatedAt: Date | null;
  isLost: boolean;
  /** What the server says when it answers, but cannot show this. */
  refusal: string | null;
}

/** “Updated 12:03:45”, or that the connection is lost. The loss is announced to screen readers once. */
export function FreshnessMark({ updatedAt, isLost }: Pick<Freshness, "updatedAt" | "isLost">) {
  const { text, format } = useLanguage();
  const label = updatedAt
    ? text.connection.updated(format.clock(updatedAt))
    : text.connection.waiting;
  return (
    <span className={styles.mark} data-lost={isLost || undefined} data-testid="freshness">
      <span className={styles.dot} aria-hidden="true" key={updatedAt?.getTime()} />
      {isLost ? text.connection.lost : label}
    </span>
  );
}

export function ConnectionBanner({ updatedAt, isLost, refusal }: Freshness) {
  const { text, format } = useLanguage();
  return (
    <div role="status" className={styles.live}>
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
                ? text.connection.lostDetail(format.clock(updatedAt))
                : text.connection.lostNoData}
            </p>
          </div>
        </div>
      )}
    </div>
  );
}
