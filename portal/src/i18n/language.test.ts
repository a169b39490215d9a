import { describe, expect, it } from "vitest";
import { en } from "./en";
import { es } from "./es";
import { initialLanguage, localeFor } from "./language";

describe("initialLanguage", () => {
  it("takes the remembered one before the browser's", () => {
    expect(initialLanguage("en", ["es-AR"])).toBe("en");
  });
  it("takes the first of the browser's that we speak", () => {
    expect(initialLanguage(null, ["pt-BR", "en-GB", "es"])).toBe("en");
    expect(initialLanguage(null, ["ES-ar"])).toBe("es");
  });
  it("falls back to Spanish, also where something else was stored", () => {
    expect(initialLanguage(null, ["pt-BR"])).toBe("es");
    expect(initialLanguage("klingon", [])).toBe("es");
  });
});

describe("localeFor", () => {
  it("keeps the user's own variant of the language", () => {
    expect(localeFor("es", ["en-GB", "es-AR"])).toBe("es-AR");
    expect(localeFor("es", ["en-GB"])).toBe("es");
  });
});

type Tree = Record<string, unknown>;

/** Every sentence with its path; a sentence with blanks is filled with what its types allow. */
function sentences(tree: Tree, path = ""): [string, string][] {
  return Object.entries(tree).flatMap(([key, value]): [string, string][] => {
    const at = `${path}${key}`;
    if (typeof value === "string") return [[at, value]];
    if (typeof value === "function") {
      const fill = value as (...blanks: number[]) => string;
      return [[at, fill(...Array.from({ length: value.length }, () => 2))]];
    }
    return sentences(value as Tree, `${at}.`);
  });
}

describe("the dictionaries", () => {
  it("leave no sentence empty", () => {
    for (const [path, sentence] of [...sentences(en), ...sentences(es)]) {
      expect(sentence.trim(), path).not.toBe("");
    }
  });

  it("say different things where more than a loanword is meant", () => {
    const spanish = new Map(sentences(es));
    const long = sentences(en).filter(([, sentence]) => sentence.split(" ").length > 3);
    expect(long.length).toBeGreaterThan(20);
    for (const [path, sentence] of long) expect(spanish.get(path), path).not.toBe(sentence);
  });

  it("count one and many", () => {
    expect(en.overview.leadOperator(1, 2)).toBe("1 customer, 2 nodes");
    expect(es.overview.leadOperator(2, 1)).toBe("2 clientes, 1 nodo");
  });
});
