import type { UseQueryResult } from "@tanstack/react-query";
import type { NodeMetrics, Range } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import card from "../../ui/card.module.css";
import { EmptyState } from "../../ui/empty_state";
import { LineChart } from "../../ui/line_chart";
import { summaryOf } from "./summary";
import styles from "./node.module.css";

interface CurveCardProps {
  name: string;
  color: "cpu" | "memory";
  range: Range;
  query: UseQueryResult<NodeMetrics>;
}

export function CurveCard({ name, color, range, query }: CurveCardProps) {
  const { text, format } = useLanguage();
  const metrics = query.data;
  const values = (color === "cpu" ? metrics?.cpu_percent : metrics?.memory_percent) ?? [];
  const summary = summaryOf(values);
  const label = text.node.chartLabel(name, text.node.ranges[range]);
  const words =
    summary === null
      ? text.node.noData
      : text.node.summary(
          format.percent(summary.minimum),
          format.percent(summary.average),
          format.percent(summary.maximum),
        );
  return (
    <section
      className={`${card.card} ${styles.curve}`}
      aria-label={label}
      data-testid={`curve-${color}`}
    >
      <header className={styles.curveHead}>
        <h2>
          <span className={styles.swatch} data-color={color} aria-hidden="true" />
          {name}
        </h2>
        {summary !== null && (
          <>
            {summary.latest !== null && (
              <strong className={styles.latest}>{format.percent(summary.latest)}</strong>
            )}
            <p className={styles.summary}>
              {text.node.minimum} {format.percent(summary.minimum)} · {text.node.average}{" "}
              {format.percent(summary.average)} · {text.node.maximum}{" "}
              {format.percent(summary.maximum)}
            </p>
          </>
        )}
      </header>
      {metrics === undefined && (
        <p className={styles.quiet}>{query.isError ? text.node.chartFailed : text.loading}</p>
      )}
      {metrics !== undefined && summary === null && (
        <EmptyState
          title={text.node.noData}
          hint={
            metrics.step_seconds < 60
              ? text.node.noDataHint
              : text.node.noDataYet(format.span(metrics.step_seconds))
          }
        />
      )}
      {metrics !== undefined && summary !== null && (
        <LineChart
          times={metrics.times}
          values={values}
          from={Date.parse(metrics.from) / 1000}
          to={Date.parse(metrics.to) / 1000}
          color={color}
          label={`${label}. ${words}`}
          syncKey="node"
        />
      )}
    </section>
  );
}
