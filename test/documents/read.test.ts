import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Document, Path } from "../../src/documents/document.js";
import { readDocuments } from "../../src/documents/read.js";
import type { Place, Problem } from "../../src/problems/problem.js";

const read = (text: string) => readDocuments({ name: "in.yaml", text });
const only = (text: string): Document => {
  const { documents, problems } = read(text);
  expect(problems).toEqual([]);
  expect(documents).toHaveLength(1);
  return documents[0] as Document;
};
/** `line:column-endLine:endColumn` */
const span = (place: Place) => `${place.line}:${place.column}-${place.endLine}:${place.endColumn}`;
/** The text that a place underlines. */
const underlined = (place: Place) =>
  place.source.text.split("\n")[place.line - 1]?.slice(place.column - 1, place.endColumn - 1);
const summary = ({ code, severity, message, place, help }: Problem) => [
  `${place?.line}:${place?.column} ${severity}[${code}] ${message}`,
  ...(help === undefined ? [] : [help]),
];

const YAML = `# a Service
apiVersion: v1
kind: Service
metadata:
  name: web
spec:
  ports:
  - name: http
    port: 80
  - {name: "https", port: 443}
  selector:
`;
const JSON_TEXT = `{"apiVersion": "v1", "kind": "Service",
 "metadata": {"name": "we\\"b\\\\"},
 "spec": {"ports": [
  {"name": "http", "port": 80},
  {"name": "h}]", "port": 443}], "selector": null}}
`;

describe("places", () => {
  test.each<[string, string, Path, string]>([
    ["a scalar", YAML, ["spec", "ports", 0, "port"], "9:11-9:13"],
    ["a flow scalar", YAML, ["spec", "ports", 1, "name"], "10:12-10:19"],
    ["the first line of a mapping", YAML, ["spec", "ports", 0], "8:5-8:15"],
    ["a missing key: the key of its parent", YAML, ["metadata", "labels", "app"], "4:1-4:9"],
    ["a missing key of a list's item: the item", YAML, ["spec", "ports", 0, "nodePort"], "8:5-8:15"],
    ["a key without a value", YAML, ["spec", "selector"], "11:3-11:11"],
    ["nothing of the path: the document", YAML, ["status"], "2:1-2:15"],
    ["a JSON scalar", JSON_TEXT, ["spec", "ports", 1, "port"], "5:27-5:30"],
    ["a JSON text with escapes", JSON_TEXT, ["metadata", "name"], "2:23-2:32"],
    ["a missing JSON key", JSON_TEXT, ["metadata", "labels"], "2:2-2:12"],
    ["a missing JSON item", JSON_TEXT, ["spec", "ports", 2], "3:11-3:18"],
  ])("%s", (_, text, path, expected) => {
    expect(span(only(text).placeOf(path))).toBe(expected);
  });

  test("through an alias and a merge key: where it is referred to", () => {
    const document = only("base: &b {x: 1}\ncopy: *b\nmore:\n  <<: *b\n  y: 2\n");
    expect(document.value).toEqual({ base: { x: 1 }, copy: { x: 1 }, more: { x: 1, y: 2 } });
    expect(span(document.placeOf(["copy", "x"]))).toBe("2:1-2:5");
    expect(span(document.placeOf(["more", "x"]))).toBe("3:1-3:5");
  });

  test("lie within the text, and are those of the keys and values, in YAML and JSON alike", () => {
    const word = fc.stringMatching(/^[a-z][a-z0-9]{0,5}$/);
    const { tree } = fc.letrec<{ tree: unknown; leaf: string }>((tie) => ({
      leaf: word,
      tree: fc.oneof(
        { maxDepth: 4 },
        tie("leaf"),
        fc.array(tie("tree"), { minLength: 1, maxLength: 3 }),
        fc.dictionary(word, tie("tree"), { minKeys: 1, maxKeys: 3 }),
      ),
    }));
    fc.assert(
      fc.property(
        fc.dictionary(word, tree, { minKeys: 1, maxKeys: 4 }),
        fc.constantFrom(0, 1, 4),
        (value, gap) => {
          for (const text of [stringify(value), JSON.stringify(value, null, gap)]) {
            const document = only(text);
            expect(document.value).toEqual(value);
            for (const [path, leaf] of leaves(value)) {
              expect(underlined(document.placeOf(path))?.replaceAll('"', "")).toBe(leaf);
              const inside = document.placeOf([...path, "missing", 3]);
              const shown = underlined(inside)?.replaceAll('"', "");
              expect(shown).toBe(typeof path.at(-1) === "string" ? path.at(-1) : leaf);
            }
          }
        },
      ),
    );
  });
});

function* leaves(value: unknown, path: Path = []): Generator<[Path, string]> {
  if (typeof value === "string") yield [path, value];
  else if (Array.isArray(value))
    for (const [index, part] of value.entries()) yield* leaves(part, [...path, index]);
  else for (const [key, part] of Object.entries(value as object)) yield* leaves(part, [...path, key]);
}

describe("several documents", () => {
  test("YAML documents, empty ones left out", () => {
    expect(read("---\na: 1\n---\n---\n# nothing\n---\nb: 2\n").documents.map(({ value }) => value)).toEqual([
      { a: 1 },
      { b: 2 },
    ]);
  });

  test("JSON values one after another, with their places", () => {
    const { documents } = read('{"a": "}"}\n[1, {"b": 2}]{}');
    expect(documents.map(({ value }) => value)).toEqual([{ a: "}" }, [1, { b: 2 }], {}]);
    expect(span((documents[1] as Document).placeOf([1, "b"]))).toBe("2:11-2:12");
  });

  test.each([
    ["YAML", "apiVersion: v1\nkind: List\nitems:\n- kind: A\n  x: 1\n- kind: B\n", "4:3-4:10", "5:6-5:7"],
    [
      "JSON",
      '{"kind": "List",\n "items": [\n  {"kind": "A", "x": 1}, {"kind": "B"}]}',
      "3:3-3:24",
      "3:22-3:23",
    ],
  ])("items of a List in %s", (_, text, first, x) => {
    const { documents } = read(text);
    expect(documents.map(({ value }) => value)).toEqual([{ kind: "A", x: 1 }, { kind: "B" }]);
    expect(span((documents[0] as Document).place)).toBe(first);
    expect(span((documents[0] as Document).placeOf(["x"]))).toBe(x);
  });

  test("items of a typed list have its type unless they say another", () => {
    const { documents } = read("apiVersion: v1\nkind: ServiceList\nitems: [{a: 1}, {kind: Node}]");
    expect(documents.map(({ value }) => value)).toEqual([
      { apiVersion: "v1", kind: "Service", a: 1 },
      { apiVersion: "v1", kind: "Node" },
    ]);
  });
});

describe("what cannot be read", () => {
  test.each([
    ["a:\n\tb: 1", ["2:1 error[LF5001] a tab may not indent YAML", "indent with blanks"]],
    ["a: 1\nb: 2\na: 3", ["3:1 error[LF5001] this key stands here a second time", "keep one of the two"]],
    ["a: b: c", ["1:4 error[LF5001] not YAML: nested mappings are not allowed in compact mappings"]],
    ["a: 'x", ["1:6 error[LF5001] a closing quote, bracket or comma is missing"]],
    ["a: *b", ["1:1 error[LF5001] the alias *b has no anchor &b before it"]],
    ['{"a": 1,\n "b": "2" "c": 3}', ["2:11 error[LF5001] not YAML: unexpected double-quoted-scalar token"]],
  ])("%j", (text, expected) => {
    const { documents, problems } = read(text);
    expect(documents).toEqual([]);
    expect(problems.flatMap(summary)).toEqual(expected);
  });

  test("one faulty document leaves the others", () => {
    const { documents, problems } = read("a: 1\n---\nb: [\n---\nc: 3\n");
    expect(documents.map(({ value }) => value)).toEqual([{ a: 1 }, { c: 3 }]);
    expect(problems).toHaveLength(1);
  });

  test.each(["[", "{", "- ", "a: ["])("endless nesting of %j", (opening) => {
    const { documents, problems } = read(opening.repeat(20_000));
    expect(documents).toEqual([]);
    expect(problems.map(({ code }) => code)).toContain("LF5001");
  });

  const bomb = (level: (index: number, uses: string) => string) =>
    Array.from({ length: 30 }, (_, index) =>
      level(index, new Array(9).fill(index === 0 ? "{k: v}" : `*a${index - 1}`).join(", ")),
    ).join("\n");
  test.each([
    ["aliases", bomb((index, uses) => `a${index}: &a${index} [${uses}]`)],
    ["merge keys", bomb((index, uses) => `a${index}: &a${index} {<<: [${uses}], k${index}: 1}`)],
    ["merge keys of YAML 1.1", `%YAML 1.1\n---\n${bomb((i, uses) => `a${i}: &a${i} {<<: [${uses}]}`)}`],
  ])("a bomb of %s", (_, text) => {
    expect(read(text).problems.map(({ code }) => code)).toEqual(["LF5006"]);
  });

  test("a value that holds itself", () => {
    expect(read("a: &a\n  b: *a\n").documents).toHaveLength(1);
  });

  test("any string is accepted, and every problem has a place in it", () => {
    const alphabet = fc.constantFrom(
      ..."{}[]:,-&*<?|>'\"!%#@`\t\n \r\\\uFEFFa1".split(""),
      "<<: ",
      "---\n",
      "__proto__: ",
      "items:\n",
    );
    const text = fc.oneof(
      fc.string(),
      fc.string({ unit: "binary" }),
      fc.string({ unit: alphabet, maxLength: 40 }),
    );
    fc.assert(
      fc.property(text, (text) => {
        const { documents, problems } = read(text);
        const places = [
          ...problems.map(({ place }) => place as Place),
          ...documents.map(({ place }) => place),
        ];
        for (const place of places) {
          const lines = text.split("\n");
          expect(lines.length).toBeGreaterThanOrEqual(place.endLine);
          expect(place.column).toBeLessThanOrEqual((lines[place.line - 1] as string).length + 1);
          expect(place.endColumn).toBeLessThanOrEqual((lines[place.endLine - 1] as string).length + 1);
          const ordered = place.line < place.endLine || place.column <= place.endColumn;
          expect(ordered && place.line >= 1 && place.column >= 1).toBe(true);
        }
      }),
      { numRuns: 2000 },
    );
  });
});

test.each([
  ["YAML", "a:\n  __proto__: {polluted: 1}\n  b: 1\n", "2:14"],
  ["JSON", '{"a": {"__proto__": {"polluted": 1}, "b": 1}}', "1:21"],
])("__proto__ in %s does no harm and is reported", (_, text, at) => {
  const { documents, problems } = read(text);
  expect(JSON.stringify(documents[0]?.value)).toBe('{"a":{"b":1}}');
  expect(({} as Record<string, unknown>).polluted).toBeUndefined();
  const value = documents[0]?.value as { a: Record<string, unknown> } | undefined;
  expect(value?.a.polluted).toBeUndefined();
  expect(problems.flatMap(summary)).toEqual([
    `${at} warning[LF5002] __proto__ is no field of any object and is ignored`,
  ]);
});
