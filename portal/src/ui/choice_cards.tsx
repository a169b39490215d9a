import { useId } from "react";
import styles from "./choice_cards.module.css";

export interface Choice<T extends string> {
  value: T;
  label: string;
  hint: string;
}

/** One choice of a few, each with a sentence on what it means: real radio buttons. */
export function ChoiceCards<T extends string>({
  label,
  choices,
  value,
  onChange,
}: {
  label: string;
  choices: readonly Choice<T>[];
  value: T;
  onChange: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset className={styles.choices}>
      <legend>{label}</legend>
      {choices.map((choice) => (
        <label key={choice.value}>
          <input
            type="radio"
            name={name}
            value={choice.value}
            checked={choice.value === value}
            onChange={() => {
              onChange(choice.value);
            }}
          />
          <span>
            <strong>{choice.label}</strong>
            <small>{choice.hint}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
}
