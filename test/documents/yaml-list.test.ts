import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { stringify } from "yaml";
import type { Document, Path } from "../../src/documents/document.js";
import { readDocuments } from "../../src/documents/read.js";
import { readYaml } from "../../src/documents/yaml.js";
import { readYamlList } from "../../src/documents/yaml-list.js";

const TEXT = `# kubectl get -o yaml
apiVersion: v1
items:
- kind: A
  text: |
    - not an item

    items:
- kind: B
# a remark
- kind: C
  quoted: "two
    lines"

kind: List
metadata:
  resourceVersion: ""
`;

test("items and what stands around them have the places of the whole text", () => {
  const list = readYamlList({ name: "in", text: TEXT }) as Document;
  const at = (path: Path) => `${list.placeOf(path).line}:${list.placeOf(path).column}`;
  expect(list.value).toEqual({
    apiVersion: "v1",
    items: [
      { kind: "A", text: "- not an item\n\nitems:\n" },
      { kind: "B" },
      { kind: "C", quoted: "two lines" },
    ],
    kind: "List",
    metadata: { resourceVersion: "" },
  });
  expect(at(["items", 1, "kind"])).toBe("9:9");
  expect(at(["items", 2, "quoted"])).toBe("12:11");
  expect(at(["items", 2])).toBe("11:3");
  expect(at(["apiVersion"])).toBe("2:13");
  expect(at(["kind"])).toBe("15:7");
  expect(at(["metadata", "resourceVersion"])).toBe("17:20");
});

describe("is left to the reader of whole files", () => {
  test.each([
    ["several documents", `${TEXT}---\na: 1\n`],
    ["flow style", "kind: List\nitems: [{a: 1}]\n"],
    ["indented items", "kind: List\nitems:\n  - a: 1\n"],
    ["a dash alone", "kind: List\nitems:\n- a: 1\n-\n  b: 1\n"],
    ["an alias of another item", "kind: List\nitems:\n- &a {b: 1}\n- *a\n"],
    ["a fault in an item", "kind: List\nitems:\n- a: 1\n  a: 2\n"],
    ["a fault around the items", "kind: List\nitems:\n- a: 1\nkind: List\n"],
    ["items twice", "kind: List\nitems:\n- a: 1\nitems:\n- b: 1\n"],
    ["a directive", "%YAML 1.1\n---\nkind: List\nitems:\n- a: 1\n"],
  ])("%s", (_, text) => {
    expect(readYamlList({ name: "in", text })).toBeUndefined();
  });
});

test("values and places are those of the reader of whole files", () => {
  const key = fc.stringMatching(/^[a-z]{1,4}$/);
  const text = fc.string({
    unit: fc.constantFrom("a", "- ", "\n", ": ", "#", "items:", " ", "---", "'", '"'),
    maxLength: 6,
  });
  const { tree } = fc.letrec<{ tree: unknown }>((tie) => ({
    tree: fc.oneof(
      { maxDepth: 3 },
      text,
      fc.array(tie("tree"), { maxLength: 2 }),
      fc.dictionary(key, tie("tree"), { maxKeys: 3 }),
    ),
  }));
  const list = fc.record({
    before: text,
    items: fc.array(fc.dictionary(key, tree, { minKeys: 1, maxKeys: 3 }), { minLength: 1, maxLength: 4 }),
    kind: fc.constant("List"),
    after: fc.dictionary(key, tree, { maxKeys: 2 }),
  });
  let taken = 0;
  fc.assert(
    fc.property(list, (list) => {
      const source = { name: "in", text: stringify(list, { indentSeq: false }) };
      const apart = readYamlList(source);
      if (apart === undefined) return;
      taken++;
      const whole = readYaml(source).documents[0] as Document;
      expect(apart.value).toEqual(whole.value);
      // The list itself is shown by its key: of its items only one stands in a part.
      for (const path of paths(list))
        if (path.join() !== "items") expect(apart.placeOf(path)).toEqual(whole.placeOf(path));
    }),
    { numRuns: 300 },
  );
  expect(taken).toBeGreaterThan(200);
});

function* paths(value: unknown, path: Path = []): Generator<Path> {
  yield path;
  if (typeof value !== "object" || value === null) return;
  for (const [key, part] of Object.entries(value))
    yield* paths(part, [...path, Array.isArray(value) ? Number(key) : key]);
}

test("a big List is unfolded like a small one", () => {
  const text = `kind: ServiceList\napiVersion: v1\nitems:\n${"- metadata: {name: a}\n  spec: {clusterIP: None}\n".repeat(25_000)}`;
  const { documents, problems } = readDocuments({ name: "in", text });
  expect(problems).toEqual([]);
  expect(documents).toHaveLength(25_000);
  expect(documents.at(-1)?.value).toMatchObject({ kind: "Service", metadata: { name: "a" } });
  expect(documents.at(-1)?.placeOf(["spec", "clusterIP"])).toMatchObject({ line: 50_003, column: 21 });
});
