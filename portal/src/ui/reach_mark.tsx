import type { OverviewNode } from "../api/types";
import { useLanguage } from "../i18n/language";
import styles from "./reach_mark.module.css";

/** Which way health travels: an arrow up for push, down for scrape, beside the word. */
export function ReachMark({ reach }: { reach: OverviewNode["reach"] }) {
  const { text } = useLanguage();
  return (
    <span
      className={styles.mark}
      title={reach === "push" ? text.reach.pushHint : text.reach.scrapeHint}
    >
      <svg viewBox="0 0 14 14" aria-hidden="true">
        <path d={reach === "push" ? "M7 12V2.500M3 6l4-4 4 4" : "M7 2v9.500M3 8l4 4 4-4"} />
      </svg>
      {text.reach[reach]}
    </span>
  );
}
