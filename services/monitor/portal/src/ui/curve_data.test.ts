import { describe, expect, it } from "vitest";
import { joined, lastOf, lonePoints, spansOf, withUnknownEnd, type CurveData } from "./curve_data";

function curve(
  average: (number | null)[],
  downShare: (number | null)[],
  stepSeconds = 15,
): CurveData {
  return {
    times: average.map((_, at) => 1000 + at * stepSeconds),
    average,
    minimum: average,
    maximum: average,
    downShare,
    stepSeconds,
  };
}

describe("joined", () => {
  it("leaves a hole a hole, and joins over steps that are only finer than the samples", () => {
    expect(joined([1, null, 2, null, null], [0, 0, 0, 1, null])).toEqual([
      1,
      undefined,
      2,
      null,
      null,
    ]);
  });
});

describe("spansOf", () => {
  it("reaches from the last sample before a hole to the first after it", () => {
    expect(spansOf(curve([1, null, null, 2], [0, 1, 1, 0]))).toEqual([
      { kind: "down", from: 1000, to: 1045, downSeconds: 45 },
    ]);
  });
  it("says how much of long steps a node was down", () => {
    const [span] = spansOf(curve([1, 2, 3], [0, 0.2, 0], 300));
    expect(span).toMatchObject({ kind: "down", from: 1000, to: 1300 });
    expect(span?.downSeconds).toBeCloseTo(60);
  });
  it("marks what nobody knows, but not the time before a node's first sample", () => {
    expect(spansOf(curve([null, null, 1, null, 2], [null, null, 0, null, 0]))).toEqual([
      { kind: "unknown", from: 1030, to: 1060, downSeconds: 0 },
    ]);
  });
});

describe("withUnknownEnd", () => {
  it("calls the end of a curve unknown while our own collector is away", () => {
    const data = curve([1, null, 2, null, null], [0, 1, 0, 1, 1]);
    expect(withUnknownEnd(data, false).downShare).toEqual([0, 1, 0, null, null]);
    expect(withUnknownEnd(data, true)).toBe(data);
  });
});

describe("lonePoints", () => {
  it("finds the values that no line leads to", () => {
    expect(lonePoints([1, null, 2, 3, null, 4])).toEqual([0, 5]);
    expect(lonePoints([1, undefined, 2])).toEqual([]);
    expect(lonePoints([undefined, 5, undefined])).toEqual([1]);
  });
});

describe("lastOf", () => {
  it("gives the newest value with its time", () => {
    expect(lastOf(curve([1, 2, null], [0, 0, 1]))).toEqual({ time: 1015, value: 2 });
    expect(lastOf(curve([null], [null]))).toBeNull();
  });
});
