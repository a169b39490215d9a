import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import { useLanguage } from "../i18n/language";
import type { Formatter } from "../i18n/formatter";
import { colorOf, translucent } from "./chart_color";
import { useColorScheme } from "./color_scheme";
import styles from "./line_chart.module.css";

export interface LineChartProps {
  times: number[];
  values: (number | null)[];
  /** Both ends of the time axis, in seconds: it must not shrink to where there happens to be data. */
  from: number;
  to: number;
  color: "cpu" | "memory";
  label: string;
  /** Charts with the same key move their crosshair together. */
  syncKey: string;
}

const heightPx = 220;
const smallestTop = 10;

interface Point {
  /** Which way the bubble leans, so that it stays inside of the card. */
  side: "start" | "middle" | "end";
  left: number;
  top: number;
  time: Date;
  value: number | null;
}

function sideOf(share: number): Point["side"] {
  if (share < 0.25) return "start";
  return share > 0.75 ? "end" : "middle";
}

/** The end of the axis: a round number a little above the highest value, never over 100 %. */
function niceTop(values: (number | null)[]): number {
  const highest = values.reduce<number>((top, value) => Math.max(top, value ?? 0), 0);
  const steps = [smallestTop, 20, 30, 40, 60, 80];
  return steps.find((step) => highest * 1.1 <= step) ?? 100;
}

interface ChartColors {
  line: string;
  grid: string;
  axis: string;
}

/** Between two lines of the scale, which is written without decimals. */
const wholeSteps = [1, 2, 5, 10, 20, 25, 50];

const hourS = 3600;
const dayS = 24 * hourS;

/** How a moment is written below the curve, by how much time the whole axis spans. */
function tickLabel(second: number, spanS: number, format: Formatter): string {
  const moment = new Date(second * 1000);
  if (spanS > 180 * dayS) return format.month(moment);
  if (spanS > 2 * dayS) return format.day(moment);
  return spanS > hourS || moment.getSeconds() === 0
    ? format.shortClock(moment)
    : format.clock(moment);
}

function axes(colors: ChartColors, format: Formatter, spanS: number): uPlot.Axis[] {
  const shared: uPlot.Axis = {
    stroke: colors.axis,
    font: '12px "Inter Variable", system-ui, sans-serif',
    grid: { stroke: colors.grid, width: 1 },
    ticks: { show: false },
  };
  return [
    {
      ...shared,
      space: 70,
      size: 30,
      gap: 8,
      grid: { show: false },
      values: (_plot, splits) => splits.map((second) => tickLabel(second, spanS, format)),
    },
    {
      ...shared,
      size: 52,
      gap: 8,
      space: 44,
      incrs: wholeSteps,
      values: (_plot, splits) => splits.map((value) => format.wholePercent(value)),
    },
  ];
}

function chartOptions(
  width: number,
  colors: ChartColors,
  props: LineChartProps,
  format: Formatter,
  hover: (point: Point | null) => void,
): uPlot.Options {
  return {
    width,
    height: heightPx,
    padding: [10, 12, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: { size: 9, fill: colors.line, stroke: "transparent" },
      drag: { x: false, y: false },
      sync: { key: props.syncKey },
    },
    scales: {
      x: { range: (plot) => [plot.data[0][0] ?? 0, plot.data[0].at(-1) ?? 1] },
      y: { range: (plot) => [0, niceTop((plot.data[1] ?? []) as (number | null)[])] },
    },
    axes: axes(colors, format, props.to - props.from),
    series: [
      {},
      {
        stroke: colors.line,
        width: 1.8,
        fill: (plot) => {
          const gradient = plot.ctx.createLinearGradient(
            0,
            plot.bbox.top,
            0,
            plot.bbox.top + plot.bbox.height,
          );
          gradient.addColorStop(0, translucent(colors.line, 0.24));
          gradient.addColorStop(1, translucent(colors.line, 0.02));
          return gradient;
        },
        points: { show: false },
      },
    ],
    hooks: {
      setCursor: [
        (plot) => {
          const { idx, left } = plot.cursor;
          if (idx == null || left === undefined || left < 0) {
            hover(null);
            return;
          }
          const value = plot.data[1]?.[idx] ?? null;
          hover({
            side: sideOf(left / plot.over.clientWidth),
            left: plot.valToPos(plot.data[0][idx] ?? 0, "x") + plot.bbox.left / devicePixelRatio,
            top: value === null ? 0 : plot.valToPos(value, "y") + plot.bbox.top / devicePixelRatio,
            time: new Date((plot.data[0][idx] ?? 0) * 1000),
            value,
          });
        },
      ],
    },
  };
}

/** Puts the two ends of the range on the grid, empty, so that the axis always spans the whole range. */
export function spanRange(
  times: number[],
  values: (number | null)[],
  from: number,
  to: number,
): [number[], (number | null)[]] {
  const first = times[0];
  const last = times.at(-1);
  const before = first === undefined || first > from;
  const after = last === undefined || last < to;
  return [
    [...(before ? [from] : []), ...times, ...(after ? [to] : [])],
    [...(before ? [null] : []), ...values, ...(after ? [null] : [])],
  ];
}

export function LineChart(props: LineChartProps) {
  const { times, values, from, to, color, label } = props;
  const { format } = useLanguage();
  const scheme = useColorScheme();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const latest = useRef(props);
  const [point, setPoint] = useState<Point | null>(null);
  const spanS = to - from;

  useEffect(() => {
    latest.current = props;
  });

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const colors = {
      line: colorOf(element),
      grid: getComputedStyle(element).borderTopColor,
      axis: getComputedStyle(element).outlineColor,
    };
    const now = latest.current;
    const data = spanRange(now.times, now.values, now.from, now.to);
    plot.current = new uPlot(
      chartOptions(element.clientWidth, colors, now, format, setPoint),
      data,
      element,
    );
    const observer = new ResizeObserver(() => {
      plot.current?.setSize({ width: element.clientWidth, height: heightPx });
    });
    observer.observe(element);
    return () => {
      observer.disconnect();
      plot.current?.destroy();
      plot.current = null;
    };
  }, [scheme, color, format, spanS]);

  useEffect(() => {
    plot.current?.setData(spanRange(times, values, from, to));
  }, [times, values, from, to]);

  return (
    <div className={styles.frame}>
      <div ref={host} className={styles.chart} data-color={color} role="img" aria-label={label} />
      {point?.value != null && (
        <div
          className={styles.bubble}
          data-side={point.side}
          style={{ left: point.left, top: point.top }}
          aria-hidden="true"
        >
          <strong>{format.percent(point.value)}</strong>
          <span>{spanS > dayS ? format.moment(point.time) : format.clock(point.time)}</span>
        </div>
      )}
    </div>
  );
}
