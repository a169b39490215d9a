import type uPlot from "uplot";
import { colorOf, translucent } from "./chart_color";
import { joined, lonePoints, stepAt, type CurveData, type Span } from "./curve_data";

/** Of the line of the largest values. */
export const peakOpacity = 0.8;

export interface ChartColors {
  line: string;
  grid: string;
  axis: string;
  down: string;
  unknown: string;
}

/** From the stylesheet, which knows of light and dark. */
export function colorsOf(element: Element): ChartColors {
  const style = getComputedStyle(element);
  return {
    line: colorOf(element),
    grid: style.borderTopColor,
    axis: style.outlineColor,
    down: style.columnRuleColor,
    unknown: style.textDecorationColor,
  };
}

/** A hatching narrower than that is a row of dots. */
const hatchedPx = 16;
/** What a value without a neighbour is drawn as at least. */
const loneWidthPx = 5;

function within(plot: uPlot, draw: () => void) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  draw();
  ctx.restore();
}

/** Values without a neighbour, to which no line leads: each as long as its step, inside of the plot. */
export function drawLonePoints(plot: uPlot, stepSeconds: number, colors: ChartColors) {
  const { ctx, bbox } = plot;
  within(plot, () => {
    for (const [index, style] of edges(colors).entries()) {
      const values = plot.data[index + 1] ?? [];
      ctx.fillStyle = style.color;
      const thick = style.width * devicePixelRatio;
      for (const at of lonePoints(values)) {
        const step = stepAt(plot.data[0], at, stepSeconds);
        const right = Math.min(plot.valToPos(step.to, "x", true), bbox.left + bbox.width);
        const room = right - loneWidthPx * devicePixelRatio;
        const left = Math.max(bbox.left, Math.min(plot.valToPos(step.from, "x", true), room));
        const top = plot.valToPos(values[at] ?? 0, "y", true) - thick / 2;
        ctx.fillRect(left, top, Math.max(right - left, loneWidthPx * devicePixelRatio), thick);
      }
    }
  });
}

/** Bands over the times without values: full where the node was down all the time, hatched where nobody knows. */
export function drawSpans(plot: uPlot, spans: readonly Span[], colors: ChartColors) {
  within(plot, () => {
    for (const span of spans) drawSpan(plot, span, colors);
  });
}

function drawSpan(plot: uPlot, span: Span, colors: ChartColors) {
  const { ctx, bbox } = plot;
  const left = plot.valToPos(span.from, "x", true);
  const width = Math.max(plot.valToPos(span.to, "x", true) - left, 2 * devicePixelRatio);
  if (span.kind === "down") {
    const share = span.downSeconds / Math.max(1, span.to - span.from);
    ctx.fillStyle = translucent(colors.down, 0.08 + 0.14 * Math.min(1, share));
    ctx.fillRect(left, bbox.top, width, bbox.height);
    ctx.fillStyle = translucent(colors.down, 0.9);
    ctx.fillRect(left, bbox.top + bbox.height - 3 * devicePixelRatio, width, 3 * devicePixelRatio);
    return;
  }
  if (width < hatchedPx * devicePixelRatio) {
    ctx.fillStyle = translucent(colors.unknown, 0.22);
    ctx.fillRect(left, bbox.top, width, bbox.height);
    return;
  }
  ctx.save();
  ctx.beginPath();
  ctx.rect(left, bbox.top, width, bbox.height);
  ctx.clip();
  ctx.strokeStyle = translucent(colors.unknown, 0.35);
  ctx.lineWidth = devicePixelRatio;
  const apart = 8 * devicePixelRatio;
  for (let at = left - bbox.height; at < left + width; at += apart) {
    ctx.beginPath();
    ctx.moveTo(at, bbox.top + bbox.height);
    ctx.lineTo(at + bbox.height, bbox.top);
    ctx.stroke();
  }
  ctx.restore();
}

/**
 * How the averages, the smallest and the largest values are drawn. The largest have a line of their own, which keeps
 * three to one against the card in light and dark: a peak of one step is a spike, not a tinge.
 */
export function edges(colors: ChartColors): { color: string; width: number }[] {
  return [
    { color: colors.line, width: 1.8 },
    { color: "transparent", width: 0 },
    { color: translucent(colors.line, peakOpacity), width: 1 },
  ];
}

/** The line of the averages, then the edges of the band from the smallest to the largest values. */
export function series(colors: ChartColors): uPlot.Series[] {
  const [line, ...others] = edges(colors).map(({ color, width }): uPlot.Series => ({
    stroke: color,
    width,
    points: { show: false },
  }));
  return [
    {},
    {
      ...line,
      fill: (plot) => {
        const { top, height } = plot.bbox;
        const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
        gradient.addColorStop(0, translucent(colors.line, 0.2));
        gradient.addColorStop(1, translucent(colors.line, 0.02));
        return gradient;
      },
    },
    ...others,
  ];
}

/** The columns with both ends of the range on the grid, empty, so that the axis always spans the whole range. */
export function plotData(data: CurveData, from: number, to: number): uPlot.AlignedData {
  const { times, average, minimum, maximum, downShare } = data;
  const first = times[0];
  const last = times.at(-1);
  const before = first === undefined || first > from;
  const after = last === undefined || last < to;
  const around = (values: (number | null | undefined)[]) => [
    ...(before ? [null] : []),
    ...values,
    ...(after ? [null] : []),
  ];
  return [
    [...(before ? [from] : []), ...times, ...(after ? [to] : [])],
    ...[average, minimum, maximum].map((values) => around(joined(values, downShare))),
  ] as uPlot.AlignedData;
}
