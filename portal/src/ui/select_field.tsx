import { useId } from "react";
import { useLanguage } from "../i18n/language";
import { useOwnValidation } from "./own_validation";
import styles from "./text_field.module.css";

/** One of a list, in a form; "" stands for no choice yet, with which the form is not sent. */
export function SelectField({
  label,
  options,
  value,
  onChange,
}: {
  label: string;
  options: readonly { id: string; name: string }[];
  value: string;
  onChange: (id: string) => void;
}) {
  const { text } = useLanguage();
  const id = useId();
  const errorId = `${id}-error`;
  const { problem, onInvalid, clear } = useOwnValidation();
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <select
        id={id}
        className={styles.input}
        required
        aria-invalid={problem !== undefined}
        aria-describedby={problem === undefined ? undefined : errorId}
        value={value}
        onInvalid={onInvalid}
        onChange={(event) => {
          clear();
          onChange(event.target.value);
        }}
      >
        {value === "" && <option value="">{text.field.choose}</option>}
        {options.map((option) => (
          <option key={option.id} value={option.id}>
            {option.name}
          </option>
        ))}
      </select>
      {problem !== undefined && (
        <p id={errorId} className={styles.error}>
          {problem}
        </p>
      )}
    </div>
  );
}
