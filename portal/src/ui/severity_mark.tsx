import { useLanguage } from "../i18n/language";
import { type Severity } from "../live/severity";
import styles from "./severity_mark.module.css";

export function SeverityShape({ severity }: { severity: Severity }) {
  return (
    <svg viewBox="0 0 16 16" className={styles.shape} data-severity={severity} aria-hidden="true">
      {severity === "critical" && <path d="M8 .8 15.200 8 8 15.200.8 8Z" />}
      {severity === "warning" && <path d="M8 1.500 15.500 14.500H.5Z" />}
      {severity === "info" && <circle cx="8" cy="8" r="6.500" />}
      <path
        className={styles.cut}
        d={severity === "warning" ? "M8 6v4.200M8 12.300v.1" : "M8 4.500v4.300M8 11.300v.1"}
      />
    </svg>
  );
}

export function SeverityMark({ severity }: { severity: Severity }) {
  const { text } = useLanguage();
  return (
    <span className={styles.mark} data-severity={severity}>
      <SeverityShape severity={severity} />
      {text.alerts[severity]}
    </span>
  );
}
