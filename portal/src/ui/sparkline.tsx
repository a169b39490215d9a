import { useEffect, useRef } from "react";
import uPlot from "uplot";
import { colorOf, translucent } from "./chart_color";
import { useColorScheme } from "./color_scheme";
import styles from "./sparkline.module.css";

export interface SparklineProps {
  times: number[];
  /** Undefined joins its neighbours, null is a hole. */
  values: (number | null | undefined)[];
  color: "cpu" | "memory";
  label: string;
}

const widthPx = 120;
const heightPx = 34;
/** Shares of a hundred have one scale, so that two rows can be compared and noise is not blown up to fill the height. */
const scale: [number, number] = [0, 100];

function drawLastPoint(plot: uPlot, stroke: string) {
  const values = plot.data[1];
  let last = values === undefined ? -1 : values.length - 1;
  while (last >= 0 && values?.[last] == null) last -= 1;
  const time = plot.data[0][last];
  const value = values?.[last];
  if (time === undefined || value == null) return;
  const { ctx } = plot;
  ctx.save();
  ctx.fillStyle = stroke;
  ctx.beginPath();
  ctx.arc(
    plot.valToPos(time, "x", true),
    plot.valToPos(value, "y", true),
    2.2 * devicePixelRatio,
    0,
    2 * Math.PI,
  );
  ctx.fill();
  ctx.restore();
}

function sparkOptions(stroke: string, fill: string): uPlot.Options {
  return {
    width: widthPx,
    height: heightPx,
    padding: [4, 4, 3, 1],
    cursor: { show: false },
    legend: { show: false },
    axes: [{ show: false }, { show: false }],
    scales: {
      x: { time: false },
      y: { range: scale },
    },
    series: [{}, { stroke, fill, width: 1.6, points: { show: false } }],
    hooks: {
      draw: [
        (plot) => {
          drawLastPoint(plot, stroke);
        },
      ],
    },
  };
}

/** A small curve from 0 to 100 %; the picture for the eye, the label for everybody else. */
export function Sparkline({ times, values, color, label }: SparklineProps) {
  const host = useRef<HTMLDivElement>(null);
  const plot = useRef<uPlot | null>(null);
  const data = useRef<uPlot.AlignedData>([times, values]);
  const scheme = useColorScheme();

  useEffect(() => {
    const element = host.current;
    if (element === null) return;
    const stroke = colorOf(element);
    plot.current = new uPlot(
      sparkOptions(stroke, translucent(stroke, 0.13)),
      data.current,
      element,
    );
    return () => {
      plot.current?.destroy();
      plot.current = null;
    };
  }, [scheme, color]);

  useEffect(() => {
    data.current = [times, values];
    plot.current?.setData(data.current);
  }, [times, values]);

  return (
    <div ref={host} className={styles.spark} data-color={color} role="img" aria-label={label} />
  );
}
