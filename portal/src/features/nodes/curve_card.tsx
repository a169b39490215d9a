import type { UseQueryResult } from "@tanstack/react-query";
import { useMemo } from "react";
import type { NodeMetrics, OverviewNode } from "../../api/types";
import type { Range } from "./queries";
import type { Formatter } from "../../i18n/formatter";
import { useLanguage, type Dictionary } from "../../i18n/language";
import card from "../../ui/card.module.css";
import {
  highestStep,
  isDownThroughout,
  spansOf,
  type CurveData,
  type Span,
} from "../../ui/curve_data";
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

const kinds = ["down", "outage", "unknown"] as const;

function secondsOf({ kind, from, to, downSeconds }: Span): number {
  return kind === "down" ? downSeconds : to - from;
}

/** The spans of one kind in words: “down 19:41–19:45”. */
function wordsOf(
  kind: Span["kind"],
  spans: readonly Span[],
  text: Dictionary,
  format: Formatter,
): string {
  if (spans.length > spansNamedMax) {
    const total = spans.reduce((sum, span) => sum + secondsOf(span), 0);
    const often = {
      down: text.node.downOften,
      outage: text.node.outageOften,
      unknown: text.node.unknownOften,
    }[kind];
    return often(spans.length, format.span(Math.max(1, Math.round(total))));
  }
  return spans
    .map((span) => {
      const when = format.spanOfTime(span.from, span.to);
      const isWhole = secondsOf(span) >= 0.9 * (span.to - span.from);
      return isWhole
        ? text.node.spans[kind](when)
        : text.node.downWithin(format.span(Math.max(1, Math.round(span.downSeconds))), when);
    })
    .join(", ");
}

/** What the bands over a curve mean and when they are: a line for each kind that is there. */
function useLegend(spans: readonly Span[]): { kind: Span["kind"]; words: string }[] {
  const { text, format } = useLanguage();
  return kinds
    .map((kind) => ({ kind, found: spans.filter((span) => span.kind === kind) }))
    .filter(({ found }) => found.length > 0)
    .map(({ kind, found }) => ({ kind, words: wordsOf(kind, found, text, format) }));
}

/** Why there is no value: only what is known of the whole range, or else what is known of a part. */
function emptyHintOf(data: CurveData, spans: readonly Span[]) {
  if (isDownThroughout(data)) return "noDataDown";
  if (spans.some(({ kind }) => kind === "outage")) return "noDataOutage";
  return spans.some(({ kind }) => kind === "down") ? "noDataPartlyDown" : "noDataHint";
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
        format.shortMoment(new Date(newest.time * 1000)),
      )}
    </span>
  );
}

type Summary = NonNullable<NodeMetrics["cpu_summary"]>;

/** The highest value and, where the curve shows it, when it was. */
function maximumOf(
  summary: Summary | null,
  data: CurveData | null,
  text: Dictionary,
  format: Formatter,
): string {
  if (summary === null) return "";
  const peak = data === null ? null : highestStep(data);
  return peak === null
    ? format.percent(summary.maximum)
    : text.node.maximumAt(format.percent(summary.maximum), format.step(peak.from, peak.to));
}

function CurveHead({
  name,
  color,
  newest,
  summary,
  maximum,
}: {
  name: string;
  color: "cpu" | "memory";
  newest: Newest | null;
  summary: Summary | null;
  maximum: string;
}) {
  const { text, format } = useLanguage();
  return (
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
  const legend = useLegend(spans);
  const fine = recent === undefined ? [] : [curveOf(recent, color, node)];
  const newest = data === null ? null : newestOf([...fine, data], color, node);
  const summary = metrics?.[`${color}_summary`] ?? null;
  const maximum = maximumOf(summary, data, text, format);
  // Without a value too there may be something to see: when the node was down, or Vigía away.
  const isDrawn = summary !== null || spans.length > 0;
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
      <CurveHead name={name} color={color} newest={newest} summary={summary} maximum={maximum} />
      {metrics === undefined && (
        <p className={styles.quiet}>{query.isError ? text.node.chartFailed : text.loading}</p>
      )}
      {data !== null && summary === null && (
        <EmptyState title={text.node.noData} hint={text.node[emptyHintOf(data, spans)]} />
      )}
      {metrics !== undefined && data !== null && isDrawn && (
        <LineChart
          data={data}
          from={Date.parse(metrics.from) / 1000}
          to={Date.parse(metrics.to) / 1000}
          color={color}
          label={[label, words, ...legend.map((line) => line.words)].filter(Boolean).join(". ")}
          syncKey="node"
        />
      )}
      {legend.map((line) => (
        <p key={line.kind} className={styles.spanTimes} data-testid={`${line.kind}-times`}>
          <span data-span={line.kind} aria-hidden="true" />
          {line.words}
        </p>
      ))}
      {data !== null && isDrawn && <CurveTable data={data} name={name} />}
    </section>
  );
}
