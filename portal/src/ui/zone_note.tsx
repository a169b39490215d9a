import { useLanguage } from "../i18n/language";
import styles from "./zone_note.module.css";

/** Under a list with times: which clock they go by. */
export function ZoneNote() {
  const { text, format } = useLanguage();
  return (
    <p className={styles.zone} data-testid="zone">
      {text.node.zone(format.zone())}
    </p>
  );
}
