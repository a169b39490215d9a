import { useId } from "react";
import styles from "./segmented.module.css";

export interface Segment<T extends string> {
  value: T;
  label: string;
  /** How many it would show, as it is written. */
  count?: string;
}

/** One choice of a few, side by side: real radio buttons, so arrow keys and screen readers work. */
export function Segmented<T extends string>({
  label,
  segments,
  value,
  onChange,
}: {
  label: string;
  segments: readonly Segment<T>[];
  value: T;
  onChange: (value: T) => void;
}) {
  const name = useId();
  return (
    <fieldset className={styles.group}>
      <legend className={styles.legend}>{label}</legend>
      {segments.map((segment) => (
        <label key={segment.value} className={styles.segment}>
          <input
            type="radio"
            name={name}
            checked={segment.value === value}
            onChange={() => {
              onChange(segment.value);
            }}
          />
          <span>
            {segment.label}
            {segment.count !== undefined && <small>{segment.count}</small>}
          </span>
        </label>
      ))}
    </fieldset>
  );
}
