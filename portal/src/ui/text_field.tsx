import { useId, type ComponentProps } from "react";
import { useOwnValidation } from "./own_validation";
import styles from "./text_field.module.css";

/** An input with its label, its hint and its error, all tied together for screen readers. */
export function TextField({
  label,
  hint,
  error: refused,
  wrong,
  onChange,
  ...input
}: ComponentProps<"input"> & {
  label: string;
  hint?: string | undefined;
  error?: string | undefined;
  /** The words for what `pattern` does not take. */
  wrong?: string | undefined;
}) {
  const id = useId();
  const hintId = `${id}-hint`;
  const errorId = `${id}-error`;
  const own = useOwnValidation(wrong);
  const error = own.problem ?? refused;
  const described = [hint === undefined ? "" : hintId, error === undefined ? "" : errorId];
  return (
    <div className={styles.field}>
      <label htmlFor={id}>{label}</label>
      <input
        {...input}
        onInvalid={own.onInvalid}
        onChange={(event) => {
          own.clear();
          onChange?.(event);
        }}
        id={id}
        className={styles.input}
        aria-invalid={error !== undefined}
        aria-describedby={described.filter(Boolean).join(" ") || undefined}
      />
      {hint !== undefined && (
        <p id={hintId} className={styles.hint}>
          {hint}
        </p>
      )}
      {error !== undefined && (
        <p id={errorId} className={styles.error}>
          {error}
        </p>
      )}
    </div>
  );
}

export function FormError({ message }: { message: string | undefined }) {
  return (
    <p role="alert" className={styles.formError}>
      {message}
    </p>
  );
}
