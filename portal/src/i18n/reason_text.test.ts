import { readdirSync, readFileSync } from "node:fs";
import { describe, expect, it } from "vitest";
import { en } from "./en";
import { es } from "./es";
import { failureText, reasonText } from "./reason_text";

const monitor = "../services/monitor";

/** A source of the monitor's, in whichever of its folders it lies. */
function monitorSource(name: string): string {
  const path = readdirSync(monitor, { encoding: "utf8", recursive: true }).find((one) =>
    one.endsWith(`/${name}`),
  );
  expect(path, name).toBeDefined();
  return readFileSync(`${monitor}/${path ?? ""}`, "utf8");
}

/** Every refusal that the monitor's sources can give of an address or a target, as the API sends it. */
function refusals(): string[] {
  const [address, channel] = [monitorSource("address.cpp"), monitorSource("channel_check.cpp")];
  const found = (source: string, pattern: RegExp) =>
    [...source.matchAll(pattern)].map(([, words]) => words ?? "");
  const sentences = /"((?:address|target|channel): [^"]+)"/g;
  return [
    ...found(address, sentences),
    ...found(channel, sentences),
    ...found(channel, /refuse\("([^"]+)"\)/g).map((words) => `target: ${words}`),
    ...found(address, /refused\("([^"]+)"\)/g).map(
      (words) => `address: ${words} addresses are not allowed`,
    ),
  ]
    .filter((words) => !/^(address|target): \{\}/.test(words))
    .filter((words) => !words.includes("{} addresses"));
}

describe("failureText", () => {
  it("has words of its own for every failure that the monitor notes", () => {
    const [hooks, mails] = [monitorSource("channel_hooks.cpp"), monitorSource("mail_outcomes.cpp")];
    // Each way of noting must be found, however often: a pattern that finds none would hide a failure.
    const notes = [
      [...hooks.matchAll(/return "(its host[^"]+)"/g)],
      [...hooks.matchAll(/note_failed\([^;]*?"([^"]+)"\)/g)],
      [...mails.matchAll(/kMailFailure = "([^"]+)"/g)],
    ].flatMap((found) => {
      expect(found.length).toBeGreaterThan(0);
      return found.map(([, words]) => words ?? "");
    });
    for (const note of notes) {
      expect(Object.hasOwn(en.failures, note), note).toBe(true);
      expect(failureText(note, es), note).not.toBe(note);
    }
    expect(failureText("its host answers 503", es)).toBe("su servidor responde 503");
    expect(failureText("private addresses are not allowed", es)).toBe(
      "no se admiten direcciones privadas",
    );
  });
});

describe("reasonText", () => {
  it("has words of its own for every refusal of the monitor's, in both languages", () => {
    const all = refusals();
    expect(all.length).toBeGreaterThan(20);
    for (const refusal of all) {
      const reason = refusal.replace(/^\w+: /, "");
      expect(Object.hasOwn(en.reasons, reason), refusal).toBe(true);
      expect(reasonText(refusal, es), refusal).not.toBe(reason);
    }
  });

  it("names the host that nobody knows, and quotes what is new", () => {
    expect(reasonText("address: a.example cannot be resolved", es)).toBe(
      "ningún servidor de nombres conoce a.example",
    );
    expect(reasonText("address: never heard of", es)).toBe("never heard of");
  });
});
