import type { UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import type { NodeMetrics, OverviewNode, Range } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import card from "../../ui/card.module.css";
import { highestStep, spansOf, type Span } from "../../ui/curve_data";
import { EmptyState } from "../../ui/empty_state";
import { LineChart } from "../../ui/line_chart";
import { curveOf, newestOf, type Newest } from "./summary";
import { CurveTable } from "./curve_table";
import styles from "./node.module.css";

interface CurveCardProps {
  name: string;
  color: "cpu" | "memory";
  range: Range;
  node: OverviewNode | undefined;
  query: UseQueryResult<NodeMetrics>;
  /** The last quarter of an hour, whatever the range. */
  recent: NodeMetrics | undefined;
}

const spansNamedMax = 3;

/** When the node was down in this range, in words: “down 19:41–19:45”. */
function useDownWords(spans: readonly Span[]): string | null {
  const { text, format } = useLanguage();
  const down = spans.filter(({ kind }) => kind === "down");
  if (down.length === 0) return null;
  const total = down.reduce((sum, { downSeconds }) => sum + downSeconds, 0);
  if (down.length > spansNamedMax) {
    return text.node.downOften(down.length, format.span(Math.max(1, Math.round(total))));
  }
  return down
    .map((span) => {
      const when = format.spanOfTime(span.from, span.to);
      const isWhole = span.downSeconds >= 0.9 * (span.to - span.from);
      return isWhole
        ? text.node.span("down", when)
        : text.node.downWithin(format.span(Math.max(1, Math.round(span.downSeconds))), when);
    })
    .join(", ");
}

function NewestValue({ newest }: { newest: Newest }) {
  const { text, format } = useLanguage();
  if (newest.isPresent) {
    return <strong className={styles.latest}>{format.percent(newest.value)}</strong>;
  }
  return (
    <span className={styles.old} title={format.momentInZone(new Date(newest.time * 1000))}>
      {text.node.lastValue(
        format.percent(newest.value),
        format.shortClock(new Date(newest.time * 1000)),
      )}
    </span>
  );
}

export function CurveCard({ name, color, range, node, query, recent }: CurveCardProps) {
  const { text, format } = useLanguage();
  const metrics = query.data;
  const data = useMemo(
    () => (metrics === undefined ? null : curveOf(metrics, color, node)),
    [metrics, color, node],
  );
  const spans = useMemo(() => (data === null ? [] : spansOf(data)), [data]);
  const down = useDownWords(spans);
  const fine = recent === undefined ? [] : [curveOf(recent, color, node)];
  const newest = data === null ? null : newestOf([...fine, data], color, node);
  const summary = metrics?.[`${color}_summary`] ?? null;
  const peak = data === null ? null : highestStep(data);
  const maximum =
    summary === null
      ? ""
      : peak === null
        ? format.percent(summary.maximum)
        : text.node.maximumAt(format.percent(summary.maximum), format.step(peak.from, peak.to));
  const label = text.node.chartLabel(name, text.node.ranges[range]);
  const words =
    summary === null
      ? text.node.noData
      : text.node.summary(
          format.percent(summary.minimum),
          format.percent(summary.average),
          maximum,
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
        {newest !== null && <NewestValue newest={newest} />}
        {summary !== null && (
          <p className={styles.summary}>
            {text.node.minimum} {format.percent(summary.minimum)} · {text.node.average}{" "}
            {format.percent(summary.average)} · {text.node.maximum} {maximum}
          </p>
        )}
      </header>
      {metrics === undefined && (
        <p className={styles.quiet}>{query.isError ? text.node.chartFailed : text.loading}</p>
      )}
      {metrics !== undefined && summary === null && (
        <EmptyState
          title={text.node.noData}
          hint={node?.status === "down" ? text.node.noDataDown : text.node.noDataHint}
        />
      )}
      {metrics !== undefined && data !== null && summary !== null && (
        <LineChart
          data={data}
          from={Date.parse(metrics.from) / 1000}
          to={Date.parse(metrics.to) / 1000}
          color={color}
          label={[label, words, down].filter(Boolean).join(". ")}
          syncKey="node"
        />
      )}
      {down !== null && summary !== null && (
        <p className={styles.downTimes} data-testid="down-times">
          <span aria-hidden="true" />
          {down}
        </p>
      )}
      {data !== null && summary !== null && <CurveTable data={data} name={name} />}
    </section>
  );
}
