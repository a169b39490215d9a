import { useState } from "react";
import { useLanguage } from "../../i18n/language";
import { stepAt, type CurveData } from "../../ui/curve_data";
import styles from "./node.module.css";

function Values({ data, name }: { data: CurveData; name: string }) {
  const { text, format } = useLanguage();
  const { columns } = text.node;
  const percent = (value: number | null | undefined) =>
    value == null ? "–" : format.percent(value);
  const stateOf = (at: number) => {
    if ((data.downShare[at] ?? 0) > 0) return text.status.down;
    return (data.outageShare[at] ?? 0) > 0 ? text.node.outage : text.status.unknown;
  };
  return (
    // What scrolls can be scrolled by keyboard too.
    // eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex
    <div className={styles.values} tabIndex={0} role="region" aria-label={text.node.tableOf(name)}>
      <table>
        <thead>
          <tr>
            <th scope="col">{columns.when}</th>
            <th scope="col">{columns.average}</th>
            <th scope="col">{columns.minimum}</th>
            <th scope="col">{columns.maximum}</th>
          </tr>
        </thead>
        <tbody>
          {data.times
            .map((time, at) => {
              const { from, to } = stepAt(data.times, at, data.stepSeconds);
              const average = data.average[at] ?? null;
              return (
                <tr key={time}>
                  <th scope="row">{format.step(from, to)}</th>
                  <td>{average === null ? stateOf(at) : format.percent(average)}</td>
                  <td>{percent(data.minimum[at])}</td>
                  <td>{percent(data.maximum[at])}</td>
                </tr>
              );
            })
            .reverse()}
        </tbody>
      </table>
    </div>
  );
}

/** The points of a curve for who cannot point at them, newest first; made only while it is open. */
export function CurveTable({ data, name }: { data: CurveData; name: string }) {
  const { text } = useLanguage();
  const [isOpen, setIsOpen] = useState(false);
  return (
    <details
      className={styles.table}
      onToggle={(event) => {
        setIsOpen(event.currentTarget.open);
      }}
    >
      <summary>{text.node.table}</summary>
      {isOpen && <Values data={data} name={name} />}
    </details>
  );
}
