import { describe, expect, it } from "vitest";
import { translucent } from "./chart_color";
import { spanRange } from "./line_chart";

describe("spanRange", () => {
  it("reaches to both ends of the range where data does not", () => {
    expect(spanRange([20, 30], [1, 2], 10, 40)).toEqual([
      [10, 20, 30, 40],
      [null, 1, 2, null],
    ]);
  });
  it("adds nothing where data reaches the ends, and both ends where there is none", () => {
    expect(spanRange([10, 40], [1, 2], 10, 40)).toEqual([
      [10, 40],
      [1, 2],
    ]);
    expect(spanRange([], [], 10, 40)).toEqual([
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
