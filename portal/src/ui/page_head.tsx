import type { ReactNode } from "react";
import { ConnectionBanner, FreshnessMark } from "./freshness";
import type { Freshness } from "../api/freshness_of";
import { useNamedPage } from "./page_name";
import styles from "./page_head.module.css";

/** The top of every page: what it is, how fresh it is, and what can be done on it. */
export function PageHead({
  title,
  heading = title,
  lead,
  freshness,
  children,
}: {
  /** Of the page, and of its tab. */
  title: string;
  /** What stands in the title's place where it is more than words. */
  heading?: ReactNode;
  lead?: ReactNode;
  freshness: Freshness;
  children?: ReactNode;
}) {
  useNamedPage(title);
  return (
    <>
      <div className={styles.head} data-head>
        <div className={styles.words}>
          <h1>{heading}</h1>
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
