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
  outage: string;
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
    outage: style.caretColor,
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

/**
 * Bands over the times without values, told apart by shape: the node down is a full band with a bar at the foot, Vigía
 * away a hatched one with a bar at the top, and what nobody knows is dotted.
 */
export function drawSpans(plot: uPlot, spans: readonly Span[], colors: ChartColors) {
  within(plot, () => {
    for (const span of spans) drawSpan(plot, span, colors);
  });
}

/** Where a span is on the canvas. */
interface Band {
  left: number;
  top: number;
  width: number;
  height: number;
}

const barPx = 3;
const hatchPx = 8;
const dotsPx = 7;

function drawSpan(plot: uPlot, span: Span, colors: ChartColors) {
  const { bbox } = plot;
  const left = plot.valToPos(span.from, "x", true);
  const width = Math.max(plot.valToPos(span.to, "x", true) - left, 2 * devicePixelRatio);
  const band = { left, width, top: bbox.top, height: bbox.height };
  if (span.kind === "down") drawDown(plot.ctx, band, span, colors.down);
  if (span.kind === "outage") drawOutage(plot.ctx, band, colors.outage);
  if (span.kind === "unknown") drawUnknown(plot.ctx, band, colors.unknown);
}

function fillBand(ctx: CanvasRenderingContext2D, band: Band, color: string) {
  ctx.fillStyle = color;
  ctx.fillRect(band.left, band.top, band.width, band.height);
}

function drawDown(ctx: CanvasRenderingContext2D, band: Band, span: Span, color: string) {
  const share = span.downSeconds / Math.max(1, span.to - span.from);
  fillBand(ctx, band, translucent(color, 0.08 + 0.14 * Math.min(1, share)));
  const height = barPx * devicePixelRatio;
  fillBand(ctx, { ...band, top: band.top + band.height - height, height }, translucent(color, 0.9));
}

function drawOutage(ctx: CanvasRenderingContext2D, band: Band, color: string) {
  const isNarrow = band.width < hatchedPx * devicePixelRatio;
  fillBand(ctx, band, translucent(color, isNarrow ? 0.3 : 0.07));
  fillBand(ctx, { ...band, height: barPx * devicePixelRatio }, translucent(color, 0.9));
  if (isNarrow) return;
  ctx.save();
  ctx.beginPath();
  ctx.rect(band.left, band.top, band.width, band.height);
  ctx.clip();
  ctx.strokeStyle = translucent(color, 0.55);
  ctx.lineWidth = 1.25 * devicePixelRatio;
  // Two bands beside each other are one pattern.
  const apart = hatchPx * devicePixelRatio;
  const first = Math.floor((band.left - band.height) / apart) * apart;
  for (let at = first; at < band.left + band.width; at += apart) {
    ctx.beginPath();
    ctx.moveTo(at, band.top + band.height);
    ctx.lineTo(at + band.height, band.top);
    ctx.stroke();
  }
  ctx.restore();
}

function drawUnknown(ctx: CanvasRenderingContext2D, band: Band, color: string) {
  if (band.width < hatchedPx * devicePixelRatio) {
    fillBand(ctx, band, translucent(color, 0.22));
    return;
  }
  const apart = dotsPx * devicePixelRatio;
  const size = 1.5 * devicePixelRatio;
  ctx.fillStyle = translucent(color, 0.55);
  for (let x = band.left + apart / 2; x < band.left + band.width; x += apart) {
    for (let y = band.top + apart / 2; y < band.top + band.height; y += apart) {
      ctx.fillRect(x, y, size, size);
    }
  }
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
  const { times, average, minimum, maximum, downShare, outageShare } = data;
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
    ...[average, minimum, maximum].map((values) => around(joined(values, downShare, outageShare))),
  ] as uPlot.AlignedData;
}
