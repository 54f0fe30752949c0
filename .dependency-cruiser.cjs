// Who may import whom. The order is the flow of data (README, "The house"); right may use left.
const order = [
  ["grammar"],
  ["src/problems"],
  ["src/state"],
  ["src/text", "src/documents", "src/evaluate"],
  ["src/cluster"],
  ["src/compile", "src/explain"],
  ["src/diff"],
  ["src/lint", "src/teach", "src/check"],
  ["src/cli", "src/web"],
];
const dir = (p) => `^${p}/`;
const layers = order.flatMap((layer, level) =>
  layer.map((from) => ({
    name: `layer-${from.replace("/", "-")}`,
    severity: "error",
    comment: "a folder imports only what stands before it in the flow",
    from: { path: dir(from) },
    to: {
      path: [...order.slice(level + 1).flat(), ...layer.filter((other) => other !== from), "src/index"].map(
        (p) => (p === "src/index" ? "^src/index\\.ts$" : dir(p)),
      ),
    },
  })),
);
const only = (name, library, where) => ({
  name: `only-${name}`,
  severity: "error",
  comment: `${name} is used in ${where} alone, so that it can be replaced there`,
  from: { path: "^(src|grammar)/", pathNot: where },
  to: { path: library },
});
module.exports = {
  forbidden: [
    ...layers,
    { name: "no-circular", severity: "error", from: {}, to: { circular: true } },
    only(
      "node",
      "^node:|^(fs|path|os|crypto|process|url|util|tty|zlib|child_process|stream|readline)(/|$)",
      "^src/cli/",
    ),
    only("yaml", "node_modules/yaml/", "^src/documents/"),
    only("zod", "node_modules/zod/", "^src/(documents|cluster|state|check|cli)/"),
    only("parsimmon", "node_modules/(@types/)?parsimmon/", "^grammar/"),
    only("commander", "node_modules/commander/", "^src/cli/"),
    only("diff", "node_modules/diff/", "^src/diff/"),
  ],
  options: {
    doNotFollow: { path: "node_modules" },
    tsPreCompilationDeps: true,
    tsConfig: { fileName: "tsconfig.json" },
    enhancedResolveOptions: {
      exportsFields: ["exports"],
      conditionNames: ["import", "types", "node", "default"],
    },
  },
};
