import { describe, expect, it } from "vitest";
import { translucent } from "./chart_color";
import type { CurveData } from "./curve_data";
import { readFileSync } from "node:fs";
import { edges, peakOpacity, plotData } from "./chart_drawing";

describe("plotData", () => {
  const data = (times: number[], average: (number | null)[]): CurveData => ({
    times,
    average,
    minimum: average,
    maximum: average,
    downShare: average.map(() => 0),
    outageShare: average.map(() => 0),
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

describe("the line of the largest values", () => {
  const theme = readFileSync("src/ui/theme.css", "utf8");
  const channels = (hex: string) =>
    [1, 3, 5].map((at) => Number.parseInt(hex.slice(at, at + 2), 16) / 255);
  const coloursOf = (name: string) =>
    (/light-dark\((#\w{6}), (#\w{6})\)/.exec(theme.slice(theme.indexOf(`--${name}:`))) ?? [])
      .slice(1)
      .map(channels);
  // WCAG 2.2: relative luminance, and the contrast of two of them.
  const luminance = (colour: number[]) => {
    const [red = 0, green = 0, blue = 0] = colour.map((value) =>
      value <= 0.04045 ? value / 12.92 : ((value + 0.055) / 1.055) ** 2.4,
    );
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue;
  };
  const contrast = (one: number[], other: number[]) => {
    const [dark = 0, light = 0] = [luminance(one), luminance(other)].sort((a, b) => a - b);
    return (light + 0.05) / (dark + 0.05);
  };

  it.each(["cpu", "memory"])(
    "stands out three to one in %s's colour, in light and dark",
    (name) => {
      const cards = coloursOf("surface");
      coloursOf(name).forEach((line, at) => {
        const card = cards[at] ?? [];
        const drawn = line.map(
          (value, channel) => value * peakOpacity + (card[channel] ?? 0) * (1 - peakOpacity),
        );
        expect(contrast(drawn, card)).toBeGreaterThanOrEqual(3);
      });
      expect(cards).toHaveLength(2);
    },
  );

  it.each(["down", "warning"])("and so does the bar over or under a band in %s's", (name) => {
    const cards = coloursOf("surface");
    coloursOf(name).forEach((bar, at) => {
      const card = cards[at] ?? [];
      const drawn = bar.map((value, channel) => value * 0.9 + (card[channel] ?? 0) * 0.1);
      expect(contrast(drawn, card)).toBeGreaterThanOrEqual(3);
    });
  });

  it("is at least a point wide", () => {
    const rgb = "rgb(18, 119, 160)";
    const colors = { line: rgb, grid: rgb, axis: rgb, down: rgb, outage: rgb, unknown: rgb };
    expect(edges(colors)[2]).toEqual({ color: translucent(rgb, peakOpacity), width: 1 });
  });
});

describe("translucent", () => {
  it("lets a computed colour through", () => {
    expect(translucent("rgb(18, 119, 160)", 0.13)).toBe("rgba(18, 119, 160, 0.13)");
  });
});
