import { describe, expect, it } from "vitest";
import {
  highestStep,
  isDownThroughout,
  joined,
  lastOf,
  lonePoints,
  spansOf,
  stepAt,
  withUnknownEnd,
  type CurveData,
} from "./curve_data";

function curve(
  average: (number | null)[],
  downShare: (number | null)[],
  stepSeconds = 15,
  outageShare: number[] = average.map(() => 0),
): CurveData {
  return {
    times: average.map((_, at) => 1000 + at * stepSeconds),
    average,
    minimum: average,
    maximum: average,
    downShare,
    outageShare,
    stepSeconds,
  };
}

describe("a step", () => {
  it("is the time since the value before, and never longer than the curve's steps", () => {
    expect(stepAt([1000, 1600, 1750], 1, 600)).toEqual({ from: 1000, to: 1600 });
    expect(stepAt([1000, 1600, 1750], 2, 600)).toEqual({ from: 1600, to: 1750 });
    expect(stepAt([1000, 9000], 1, 600)).toEqual({ from: 8400, to: 9000 });
    expect(stepAt([1000], 0, 600)).toEqual({ from: 400, to: 1000 });
  });

  it("with the largest value is found by its maximum, not by its average; the newest of several", () => {
    const data = curve([5, 9, 5, 5, null], [0, 0, 0, 0, null], 600);
    expect(highestStep({ ...data, maximum: [5, 9, 100, 5, null] })?.to).toBe(2200);
    expect(highestStep({ ...data, maximum: [9, 9, 5, 9, null] })?.to).toBe(2800);
    expect(highestStep(curve([null], [null]))).toBeNull();
  });
});

describe("joined", () => {
  it("leaves a hole a hole, and joins over steps that are only finer than the samples", () => {
    expect(joined([1, null, 2, null, null], [0, 0, 0, 1, null], [0, 0, 0, 0, 0])).toEqual([
      1,
      undefined,
      2,
      null,
      null,
    ]);
    expect(joined([1, null, 2], [0, 0, 0], [0, 1, 0])).toEqual([1, null, 2]);
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
  it("draws our own outage as such, and the node's own hole beside it as the node's", () => {
    const data = curve([1, null, null, null, null, 2], [0, 1, 1, 0, 0, 0], 15, [0, 0, 0, 1, 1, 0]);
    expect(spansOf(data)).toEqual([
      { kind: "down", from: 1000, to: 1030, downSeconds: 30 },
      { kind: "outage", from: 1030, to: 1075, downSeconds: 0 },
    ]);
  });
  it("does not call unknown what our own outage explains", () => {
    const data = curve([1, null, null, null], [0, null, null, null], 15, [0, 1, 1, 0]);
    expect(spansOf(data)).toEqual([
      { kind: "outage", from: 1000, to: 1030, downSeconds: 0 },
      { kind: "unknown", from: 1030, to: 1045, downSeconds: 0 },
    ]);
  });
  it("has both where a long step is of both", () => {
    const kinds = spansOf(curve([1, null, 2], [0, 0.4, 0], 300, [0, 0.6, 0])).map(
      ({ kind }) => kind,
    );
    expect(kinds).toEqual(["down", "outage"]);
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
  it("leaves what was known as down before we were away", () => {
    const ours = curve([1, null, null, null, null], [0, 1, 1, 0, 0], 15, [0, 0, 0, 1, 1]);
    expect(withUnknownEnd(ours, false).downShare).toEqual([0, 1, 1, null, null]);
    const none: null[] = Array.from({ length: 40 }, () => null);
    const long = curve(
      none,
      none.map(() => 1),
    ); // not yet recorded, so that the last minute is in doubt
    expect(withUnknownEnd(long, false).downShare).toEqual([
      ...Array.from({ length: 36 }, () => 1),
      ...[null, null, null, null],
    ]);
    expect(withUnknownEnd(curve([1, 2], [0, 0]), false).downShare).toEqual([0, 0]);
  });
});

describe("isDownThroughout", () => {
  it("is true only where every step is known to be down", () => {
    expect(isDownThroughout(curve([null, null], [1, 0.95]))).toBe(true);
    expect(isDownThroughout(curve([null, null, null], [0, 1, 1], 15, [1, 0, 0]))).toBe(false);
    expect(isDownThroughout(curve([null, null], [1, null]))).toBe(false);
    expect(isDownThroughout(curve([], []))).toBe(false);
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
