import type { Owner } from "../api/owner";
import { useLanguage } from "../i18n/language";
import styles from "./customer_choice.module.css";

/** Whose things a page shows; `everybody` is the label of a first choice with the value "". */
export function CustomerChoice({
  owners,
  value,
  everybody,
  onChange,
}: {
  owners: readonly Owner[];
  value: string;
  everybody?: string;
  onChange: (customerId: string) => void;
}) {
  const { text } = useLanguage();
  return (
    <label className={styles.choice}>
      {text.tokens.customer}
      <select
        value={value}
        onChange={(event) => {
          onChange(event.target.value);
        }}
      >
        {everybody !== undefined && <option value="">{everybody}</option>}
        {owners.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}
