import { describe, expect, it } from "vitest";
import { translucent } from "./chart_color";
import type { CurveData } from "./curve_data";
import { plotData } from "./chart_drawing";

describe("plotData", () => {
  const data = (times: number[], average: (number | null)[]): CurveData => ({
    times,
    average,
    minimum: average,
    maximum: average,
    downShare: average.map(() => 0),
    stepSeconds: 15,
  });
  it("reaches to both ends of the range where data does not", () => {
    expect(plotData(data([20, 30], [1, 2]), 10, 40).slice(0, 2)).toEqual([
      [10, 20, 30, 40],
      [null, 1, 2, null],
    ]);
  });
  it("adds nothing where data reaches the ends, and both ends where there is none", () => {
    expect(plotData(data([10, 40], [1, 2]), 10, 40).slice(0, 2)).toEqual([
      [10, 40],
      [1, 2],
    ]);
    expect(plotData(data([], []), 10, 40).slice(0, 2)).toEqual([
      [10, 40],
      [null, null],
    ]);
  });
});

describe("translucent", () => {
  it("lets a computed colour through", () => {
    expect(translucent("rgb(18, 119, 160)", 0.13)).toBe("rgba(18, 119, 160, 0.13)");
  });
});
