import { describe, expect, it } from "vitest";
import type { AuditEntry } from "./queries";
import { en } from "../../i18n/en";
import { es } from "../../i18n/es";
import { customerFieldLabel } from "../customers/customer_fields";
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

  it("say what changed in the reader's words, and quote what they do not know", () => {
    const said = (action: string, detail: string) =>
      detailOf({ action, detail }, null, es, (name) => customerFieldLabel(name, "es"));
    expect(
      said("customer.change", "name=Empresa X is_enabled=true language=en active_series=7 moon=1"),
    ).toBe(
      "Nombre: Empresa X · puede entrar: sí · Idioma de sus correos y mensajes: en · series activas: 7 · moon: 1",
    );
    expect(said("user.change", "password is_enabled=false")).toBe(
      "contraseña nueva · puede entrar: no",
    );
    expect(said("token.create", "scope=ingest name=web-02 of Madrid")).toBe(
      "para: enviar · Nombre: web-02 of Madrid",
    );
    expect(said("channel.create", "email ops@example.com")).toBe(
      `${es.channels.types.email} ops@example.com`,
    );
    expect(said("node.create", "key=value:1")).toBe("key=value:1");
  });

  it("leave out what says nothing to a person", () => {
    expect(objectOf(entry)).toBe("web-02");
    expect(objectOf({ object: "0123456789abcdef".repeat(2) })).toBeNull();
    expect(detailOf(entry, "Empresa XYZ", en)).toBe("10.0.0.7:8080");
    expect(detailOf({ ...entry, detail: "Empresa XYZ" }, "Empresa XYZ", en)).toBeNull();
    expect(hostOf("[::1]:4711")).toBe("[::1]");
  });
});
