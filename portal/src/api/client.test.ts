import { describe, expect, it } from "vitest";
import { record } from "../testing/recorded";
import { api, setCsrfToken, unwrap } from "./client";

describe("unwrap", () => {
  it("gives the body of a good answer", async () => {
    record({ "GET /customers": { body: { customers: [] } } });
    await expect(unwrap(api.GET("/customers"))).resolves.toEqual({ customers: [] });
  });

  it("throws the monitor's own code and words", async () => {
    record({
      "GET /customers": { status: 401, body: { error: "unauthenticated", message: "log in" } },
    });
    await expect(unwrap(api.GET("/customers"))).rejects.toMatchObject({
      code: "unauthenticated",
      status: 401,
      message: "log in",
    });
  });

  it("takes a lost connection and somebody else's error page for unreachable", async () => {
    record({ "GET /customers": "no connection" });
    await expect(unwrap(api.GET("/customers"))).rejects.toMatchObject({ code: "unreachable" });
    record({ "GET /customers": { status: 502, body: "Bad gateway" } });
    await expect(unwrap(api.GET("/customers"))).rejects.toMatchObject({ code: "unreachable" });
  });
});

describe("the CSRF token", () => {
  it("goes with changes only", async () => {
    const { requests } = record({
      "GET /customers": { body: { customers: [] } },
      "POST /customers": { status: 201, body: {} },
    });
    setCsrfToken("4f1d");
    await api.GET("/customers");
    await api.POST("/customers", { body: { id: "c", name: "C" } });
    expect(requests.map((request) => request.headers.get("X-CSRF-Token"))).toEqual([null, "4f1d"]);
  });
});
