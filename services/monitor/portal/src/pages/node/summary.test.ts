import { describe, expect, it } from "vitest";
import { summaryOf } from "./summary";

describe("summaryOf", () => {
  it("leaves gaps out", () => {
    expect(summaryOf([1, null, 3, 8])).toEqual({ minimum: 1, average: 4, maximum: 8, latest: 8 });
  });
  it("forgives that the newest step has not arrived", () => {
    expect(summaryOf([1, 2, null])?.latest).toBe(2);
  });
  it("does not pass an old value for the present one", () => {
    expect(summaryOf([1, 2, null, null, null])?.latest).toBeNull();
  });
  it("is null where there is nothing", () => {
    expect(summaryOf([])).toBeNull();
    expect(summaryOf([null, null])).toBeNull();
  });
});
