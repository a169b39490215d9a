import { describe, expect, it } from "vitest";
import * as recorded from "../../testing/recorded";
import { curveOf, newestOf } from "./summary";

const metrics = recorded.nodeMetrics([10, 2.6, null, null, null, null], [0, 0, 1, 1, 1, 1]);

describe("newestOf", () => {
  it("is the raw value of now, not the average of a step", () => {
    const node = recorded.node("web-01", { cpu_percent: 99.8 });
    expect(newestOf([curveOf(metrics, "cpu", node)], "cpu", node)).toEqual({
      isPresent: true,
      value: 99.8,
    });
  });
  it("marks the last value of a node that is down as old", () => {
    const node = recorded.node("web-01", { status: "down", cpu_percent: null });
    const nothing = curveOf(recorded.nodeMetrics([null], [1]), "cpu", node);
    expect(newestOf([nothing, curveOf(metrics, "cpu", node)], "cpu", node)).toEqual({
      isPresent: false,
      value: 2.6,
      time: metrics.times[1],
    });
    expect(newestOf([nothing], "cpu", node)).toBeNull();
  });
});

describe("curveOf", () => {
  it("does not call a node down that cannot be known just now", () => {
    const node = recorded.node("web-01", { status: "unknown", status_reason: "collector_away" });
    expect(curveOf(metrics, "cpu", node).downShare).toEqual([0, 0, null, null, null, null]);
  });
});
