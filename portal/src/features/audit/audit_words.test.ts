import { describe, expect, it } from "vitest";
import type { AuditEntry } from "./queries";
import { en } from "../../i18n/en";
import { actionWords, actorOf, detailOf, hostOf, objectOf, repeatsOf } from "./audit_words";

const entry: AuditEntry = {
  sequence: 7,
  time: "2026-11-25T03:00:00Z",
  actor: "user:admin",
  action: "node.create",
  customer_id: "cliente-a",
  object: "web-02",
  detail: "10.0.0.7:8080",
  address: "[::1]:4711",
  hash: "0".repeat(64),
};

describe("the words of an audit entry", () => {
  it("name who it was, whatever stands in the name", () => {
    expect(actorOf("user:admin", en)).toEqual({ name: "admin", kind: "user" });
    expect(actorOf("user:a:b", en)).toEqual({ name: "a:b", kind: "user" });
    expect(actorOf("system", en)).toEqual({ name: "Vigía", kind: null });
  });

  it("quote an action that is not known", () => {
    expect(actionWords("node.create", en)).toBe("registered the node");
    expect(actionWords("moon.launch", en)).toBe("moon.launch");
    expect(actionWords("toString", en)).toBe("toString");
  });

  it("know a count from a detail", () => {
    expect(repeatsOf({ detail: "times=29 since=2026-11-25T03:04:05Z" })).toEqual({
      times: 29,
      since: new Date("2026-11-25T03:04:05Z"),
    });
    expect(repeatsOf(entry)).toBeNull();
  });

  it("leave out what says nothing to a person", () => {
    expect(objectOf(entry)).toBe("web-02");
    expect(objectOf({ object: "0123456789abcdef".repeat(2) })).toBeNull();
    expect(detailOf(entry, "Empresa XYZ")).toBe("10.0.0.7:8080");
    expect(detailOf({ ...entry, detail: "Empresa XYZ" }, "Empresa XYZ")).toBeNull();
    expect(hostOf("[::1]:4711")).toBe("[::1]");
  });
});
