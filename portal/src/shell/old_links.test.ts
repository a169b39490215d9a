import { describe, expect, it } from "vitest";
import { newPlaceOf } from "./old_links";

const placeOf = (address: string) => newPlaceOf(new URL(address, "https://monitor.example"));

describe("newPlaceOf", () => {
  it.each([
    ["/#/", "/"],
    ["/#/nodes/cliente-a/web%20%2F1", "/nodes/cliente-a/web%20%2F1"],
    ["/#/alerts?receiver=provider", "/alerts?receiver=provider"],
    ["/login#/tokens/cliente-a", "/tokens/cliente-a"],
    ["/graph?g0.expr=up&g0.tab=1", "/alerts"],
  ])("leads %s to %s", (old, place) => {
    expect(placeOf(old)).toBe(place);
  });

  it.each(["/", "/alerts", "/nodes/cliente-a/graph", "/nodes/cliente-a/n?range=24h", "/#main"])(
    "leaves %s as it is",
    (address) => {
      expect(placeOf(address)).toBeNull();
    },
  );

  it.each(["/#//evil.example/x", "/#/\\evil.example/x"])("leaves the host alone: %s", (old) => {
    expect(placeOf(old)).toBe("/evil.example/x");
  });
});
