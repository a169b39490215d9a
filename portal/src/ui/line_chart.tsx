import { useEffect, useRef, useState } from "react";
import uPlot from "uplot";
import { useLanguage } from "../i18n/language";
import type { Formatter } from "../i18n/formatter";
import { axisTicks, type TickUnit } from "./axis_ticks";
import { translucent } from "./chart_color";
import {
  colorsOf,
  drawLonePoints,
  drawSpans,
  plotData,
  series,
  type ChartColors,
} from "./chart_drawing";
import { spansOf, stepAt, type CurveData, type Span, type Step } from "./curve_data";
import { useColorScheme } from "./color_scheme";
import { tickLabel } from "./tick_label";
import styles from "./line_chart.module.css";

export interface LineChartProps {
  data: CurveData;
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
/** Room for one mark of the time axis with its label. */
const tickPx = 66;
/** Half of the widest label (“sept 2026”): one at the very end of the axis is not cut. */
const rightPx = 34;

interface Point {
  /** Which way the bubble leans, so that it stays inside of the card. */
  side: "start" | "middle" | "end";
  left: number;
  top: number;
  step: Step;
  value: number | null;
  range: [number, number] | null;
  span: Span | null;
}

function sideOf(share: number): Point["side"] {
  if (share < 0.25) return "start";
  return share > 0.75 ? "end" : "middle";
}

/** The end of the axis: a round number a little above the highest value, never over 100 %. */
function niceTop(values: ArrayLike<number | null | undefined>): number {
  const highest = Array.from(values).reduce<number>((top, value) => Math.max(top, value ?? 0), 0);
  const steps = [smallestTop, 20, 30, 40, 60, 80];
  return steps.find((step) => highest * 1.1 <= step) ?? 100;
}

/** Between two lines of the scale, which is written without decimals. */
const wholeSteps = [1, 2, 5, 10, 20, 25, 50];

/** From this length of a step on its value is the average of several samples. */
const averagedS = 60;

/** What a plot has to know beside its columns. */
interface Shown {
  spans: readonly Span[];
  stepSeconds: number;
}

function axes(colors: ChartColors, format: Formatter): uPlot.Axis[] {
  const shared: uPlot.Axis = {
    stroke: colors.axis,
    font: '12px "Inter Variable", system-ui, sans-serif',
    grid: { stroke: colors.grid, width: 1 },
    ticks: { show: false },
  };
  let unit: TickUnit = "minute";
  return [
    {
      ...shared,
      size: 30,
      gap: 8,
      grid: { show: false },
      splits: (plot, _axis, from, to) => {
        const width = plot.bbox.width / devicePixelRatio;
        const ticks = axisTicks(from, to, Math.max(2, Math.floor(width / tickPx)));
        unit = ticks.unit;
        return ticks.times;
      },
      values: (_plot, splits) => splits.map((second) => tickLabel(second, unit, format)),
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

function pointAt(plot: uPlot, { spans, stepSeconds }: Shown): Point | null {
  const { idx, left } = plot.cursor;
  if (idx == null || left === undefined || left < 0) return null;
  const time = plot.data[0][idx] ?? 0;
  const value = plot.data[1]?.[idx] ?? null;
  const lowest = plot.data[2]?.[idx] ?? null;
  const highest = plot.data[3]?.[idx] ?? null;
  const here = plot.posToVal(left, "x");
  const span = spans.find(({ from, to }) => from <= here && here <= to) ?? null;
  const isBand = lowest !== null && highest !== null && highest - lowest >= 0.1;
  return {
    side: sideOf(left / plot.over.clientWidth),
    left: plot.valToPos(time, "x") + plot.bbox.left / devicePixelRatio,
    top:
      value === null ? heightPx / 2 : plot.valToPos(value, "y") + plot.bbox.top / devicePixelRatio,
    step: stepAt(plot.data[0], idx, stepSeconds),
    value,
    range: isBand ? [lowest, highest] : null,
    span,
  };
}

interface ChartParts {
  width: number;
  colors: ChartColors;
  syncKey: string;
  format: Formatter;
  /** What is drawn now: it changes while the chart stays. */
  shown: () => Shown;
  hover: (point: Point | null) => void;
}

function chartOptions(parts: ChartParts): uPlot.Options {
  const { width, colors, syncKey, format, shown, hover } = parts;
  return {
    width,
    height: heightPx,
    padding: [10, rightPx, 0, 0],
    legend: { show: false },
    cursor: {
      y: false,
      points: {
        size: 9,
        fill: (_plot, at) => (at === 1 ? colors.line : "transparent"),
        stroke: "transparent",
      },
      drag: { x: false, y: false },
      sync: { key: syncKey },
    },
    scales: {
      x: { range: (plot) => [plot.data[0][0] ?? 0, plot.data[0].at(-1) ?? 1] },
      y: { range: (plot) => [0, niceTop(plot.data[3] ?? [])] },
    },
    axes: axes(colors, format),
    series: series(colors),
    bands: [{ series: [3, 2], fill: translucent(colors.line, 0.22) }],
    hooks: {
      drawAxes: [
        (plot) => {
          drawSpans(plot, shown().spans, colors);
        },
      ],
      draw: [
        (plot) => {
          drawLonePoints(plot, shown().stepSeconds, colors);
        },
      ],
      setCursor: [
        (plot) => {
          hover(pointAt(plot, shown()));
        },
      ],
    },
  };
}

function Bubble({ point }: { point: Point }) {
  const { text, format } = useLanguage();
  if (point.value === null && point.span === null) return null;
  const { from, to } = point.step;
  const isAverage = to - from >= averagedS;
  return (
    <div
      className={styles.bubble}
      data-side={point.side}
      style={{ left: point.left, top: point.top }}
      aria-hidden="true"
    >
      {point.value !== null && (
        <>
          <strong>{format.percent(point.value)}</strong>
          {point.range !== null && (
            <span>
              {format.percent(point.range[0])} – {format.percent(point.range[1])}
            </span>
          )}
          <span>
            {format.step(from, to)}
            {isAverage && `, ${text.node.average}`}
          </span>
        </>
      )}
      {point.span !== null && (
        <strong data-span={point.span.kind}>
          {text.node.spans[point.span.kind](format.spanOfTime(point.span.from, point.span.to))}
        </strong>
      )}
    </div>
  );
}

function shownOf(data: CurveData, from: number, to: number) {
  const { stepSeconds } = data;
  return { data: plotData(data, from, to), spans: spansOf(data), stepSeconds };
}

export function LineChart({ data, from, to, color, label, syncKey }: LineChartProps) {
  const { format } = useLanguage();
  const scheme = useColorScheme();
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const shown = useRef(shownOf(data, from, to));
  const [point, setPoint] = useState<Point | null>(null);

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    plot.current = new uPlot(
      chartOptions({
        width: element.clientWidth,
        colors: colorsOf(element),
        syncKey,
        format,
        shown: () => shown.current,
        hover: setPoint,
      }),
      shown.current.data,
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
  }, [scheme, color, format, syncKey]);

  useEffect(() => {
    shown.current = shownOf(data, from, to);
    plot.current?.setData(shown.current.data);
  }, [data, from, to]);

  return (
    <div className={styles.frame}>
      <div ref={host} className={styles.chart} data-color={color} role="img" aria-label={label} />
      {point !== null && <Bubble point={point} />}
    </div>
  );
}
