import type uPlot from "uplot";
import { colorOf, translucent } from "./chart_color";
import { joined, lonePoints, type CurveData, type Span } from "./curve_data";

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

/** Bands over the times without values: full where the node was down all the time, hatched where nobody knows. */
export function drawSpans(plot: uPlot, spans: readonly Span[], colors: ChartColors) {
  const { ctx, bbox } = plot;
  ctx.save();
  ctx.beginPath();
  ctx.rect(bbox.left, bbox.top, bbox.width, bbox.height);
  ctx.clip();
  for (const span of spans) {
    const left = plot.valToPos(span.from, "x", true);
    const width = Math.max(plot.valToPos(span.to, "x", true) - left, 2 * devicePixelRatio);
    if (span.kind === "down") {
      const share = span.downSeconds / Math.max(1, span.to - span.from);
      ctx.fillStyle = translucent(colors.down, 0.08 + 0.14 * Math.min(1, share));
      ctx.fillRect(left, bbox.top, width, bbox.height);
      ctx.fillStyle = translucent(colors.down, 0.9);
      ctx.fillRect(
        left,
        bbox.top + bbox.height - 3 * devicePixelRatio,
        width,
        3 * devicePixelRatio,
      );
      continue;
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
  ctx.restore();
}

/** The line of the averages, then the edges of the band from the smallest to the largest values. */
export function series(colors: ChartColors): uPlot.Series[] {
  const edge: uPlot.Series = { stroke: "transparent", width: 0, points: { show: false } };
  return [
    {},
    {
      stroke: colors.line,
      width: 1.8,
      fill: (plot) => {
        const { top, height } = plot.bbox;
        const gradient = plot.ctx.createLinearGradient(0, top, 0, top + height);
        gradient.addColorStop(0, translucent(colors.line, 0.2));
        gradient.addColorStop(1, translucent(colors.line, 0.02));
        return gradient;
      },
      points: {
        show: true,
        size: 5,
        fill: colors.line,
        stroke: colors.line,
        filter: (plot, at) => lonePoints(plot.data[at] ?? []),
      },
    },
    edge,
    edge,
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
