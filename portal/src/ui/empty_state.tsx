import type { ReactNode } from "react";
import styles from "./empty_state.module.css";

/** Says what is missing and what to do next. */
export function EmptyState({
  title,
  hint,
  isPage = false,
  children,
}: {
  title: string;
  hint: string;
  /** It is all that the page shows: its title is the page's heading. */
  isPage?: boolean;
  children?: ReactNode;
}) {
  const Title = isPage ? "h1" : "p";
  return (
    <div className={styles.empty}>
      <svg viewBox="0 0 64 40" aria-hidden="true" className={styles.picture}>
        <path d="M6 20C14 8 22 4 32 4s18 4 26 16c-8 12-16 16-26 16S14 32 6 20Z" />
        <circle cx="32" cy="20" r="8" />
      </svg>
      <Title className={styles.title}>{title}</Title>
      <p className={styles.hint}>{hint}</p>
      {children !== undefined && <div className={styles.action}>{children}</div>}
    </div>
  );
}
