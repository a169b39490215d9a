import type { NodeMetrics, OverviewNode } from "../../api/types";
import { lastOf, withUnknownEnd, type CurveData } from "../../ui/curve_data";

export type MeasureName = "cpu" | "memory";

/** One measure's columns; the end of the curve is unknown where the node's state is. */
export function curveOf(
  metrics: NodeMetrics,
  name: MeasureName,
  node: OverviewNode | undefined,
): CurveData {
  const data: CurveData = {
    times: metrics.times,
    average: metrics[`${name}_percent`],
    minimum: metrics[`${name}_minimum`],
    maximum: metrics[`${name}_maximum`],
    downShare: metrics.down_share,
    outageShare: metrics.outage_share,
    stepSeconds: metrics.step_seconds,
  };
  return withUnknownEnd(data, node?.status !== "unknown");
}

/**
 * The present value, as the overview has it; or the last of a node that is not up, which is not the present one: of the
 * finest curve that has one, since long steps are averages and end later.
 */
export type Newest =
  { isPresent: true; value: number } | { isPresent: false; value: number; time: number };

export function newestOf(
  curves: readonly CurveData[],
  name: MeasureName,
  node: OverviewNode | undefined,
): Newest | null {
  const present = node?.status === "up" ? node[`${name}_percent`] : null;
  if (present !== null) return { isPresent: true, value: present };
  if (node === undefined) return null;
  const last = curves.map(lastOf).find((found) => found !== null);
  if (last === undefined) return null;
  const seen = node.last_seen === null ? last.time : Date.parse(node.last_seen) / 1000;
  return { isPresent: false, value: last.value, time: Math.min(last.time, seen) };
}
