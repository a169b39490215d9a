import { readdirSync, readFileSync } from "node:fs";
import { dirname, normalize } from "node:path/posix";
import { describe, expect, it } from "vitest";

// Tests and what they share may look into every room.
const isOfTests = (path: string) => path.startsWith("testing/") || path.includes(".test.");

const sources = readdirSync("src", { encoding: "utf8", recursive: true }).filter(
  (path) => /\.tsx?$/.test(path) && !isOfTests(path),
);

const nameOf = (path: string) => path.replace(/(\.d)?\.tsx?$/, "");

/** By file, the files of ours that it names, types too. */
const named = new Map(
  sources.map((path) => {
    const found = readFileSync(`src/${path}`, "utf8").matchAll(/(?:from|import) "(\.[^"]+)"/g);
    const targets = [...found].map(([, spec]) => normalize(`${dirname(path)}/${spec ?? ""}`));
    return [nameOf(path), targets.filter((target) => !/\.(css|svg)$/.test(target))];
  }),
);

/** The room of a file. Sentences are a room of their own, wherever they lie: they name nothing but the English ones. */
function roomOf(name: string): string {
  if (/(^|\/)(words|reasons)_(en|es)$/.test(name) || name === "i18n/count") return "words";
  const [first = "", second] = name.split("/");
  if (second === undefined) return "root";
  return first === "features" ? `${first}/${second}` : first;
}

// A room may name those that stand before it.
const floors = ["words", "api", "i18n", "live", "ui", "features", "shell", "root"];
const floorOf = (room: string) => floors.indexOf(room.split("/")[0] ?? "");

const arrows = [...named].flatMap(([from, targets]) => targets.map((to) => ({ from, to })));

/** A way that comes back to where it began, as “a → b → a”; null where there is none. */
function circleIn(graph: ReadonlyMap<string, Iterable<string>>): string | null {
  const done = new Set<string>();
  const walk = (name: string, way: readonly string[]): string | null => {
    if (way.includes(name)) return [...way.slice(way.indexOf(name)), name].join(" → ");
    if (done.has(name)) return null;
    for (const next of graph.get(name) ?? []) {
      const circle = walk(next, [...way, name]);
      if (circle !== null) return circle;
    }
    done.add(name);
    return null;
  };
  for (const name of graph.keys()) {
    const circle = walk(name, []);
    if (circle !== null) return circle;
  }
  return null;
}

describe("the portal's rooms", () => {
  it("are all known, and every import finds its file", () => {
    expect(arrows.length).toBeGreaterThan(300);
    for (const name of named.keys()) expect(floorOf(roomOf(name)), name).toBeGreaterThanOrEqual(0);
    for (const { from, to } of arrows) expect([...named.keys()], `of ${from}`).toContain(to);
  });

  it("name only what lies below them", () => {
    const up = arrows.filter(({ from, to }) => floorOf(roomOf(from)) < floorOf(roomOf(to)));
    expect(up).toEqual([]);
  });

  it("have no circle, neither of files nor of features", () => {
    expect(circleIn(named)).toBeNull();
    const between = new Map<string, Set<string>>();
    for (const { from, to } of arrows) {
      const [room, other] = [roomOf(from), roomOf(to)];
      if (room === other) continue;
      between.set(room, (between.get(room) ?? new Set()).add(other));
    }
    expect(circleIn(between)).toBeNull();
    expect(circleIn(new Map([["a", ["b"]], ["b", ["a"]]]))).toBe("a → b → a"); // prettier-ignore
  });

  it("have one form: dialogs that ask for something are all made by ui/form_modal", () => {
    const forms = sources.filter((path) => readFileSync(`src/${path}`, "utf8").includes("<form"));
    expect(forms.sort()).toEqual(["features/sessions/login_page.tsx", "ui/form_modal.tsx"]);
  });
});
