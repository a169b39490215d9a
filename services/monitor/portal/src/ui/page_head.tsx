import type { ReactNode } from "react";
import { ConnectionBanner, FreshnessMark, type Freshness } from "./freshness";
import styles from "./page_head.module.css";

/** The top of every page: what it is, how fresh it is, and what can be done on it. */
export function PageHead({
  title,
  lead,
  freshness,
  children,
}: {
  title: ReactNode;
  lead?: ReactNode;
  freshness: Freshness;
  children?: ReactNode;
}) {
  return (
    <>
      <div className={styles.head}>
        <div className={styles.words}>
          <h1>{title}</h1>
          {Boolean(lead) && <p className={styles.lead}>{lead}</p>}
        </div>
        <div className={styles.side}>
          <FreshnessMark {...freshness} />
          {children}
        </div>
      </div>
      <ConnectionBanner {...freshness} />
    </>
  );
}
