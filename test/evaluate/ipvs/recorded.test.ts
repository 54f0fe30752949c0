// Every recorded connection goes to the server that the replay names, and to no other.
import { describe, expect, test } from "vitest";
import { caseFile, IPVS_CASES, reals, replayed } from "./fixtures.js";

const one = (name: string) => {
  const connections = caseFile(name, "connections.tsv");
  return { ...replayed(caseFile(name, "ipvsadm-restore.txt"), connections), happened: reals(connections) };
};

describe("connections through a real kernel", () => {
  test("there are enough of them", () => {
    expect(IPVS_CASES.length).toBeGreaterThan(70);
    const count = IPVS_CASES.reduce((sum, name) => sum + one(name).happened.size, 0);
    expect(count).toBeGreaterThan(6000);
  });

  test.each(IPVS_CASES)("%s", (name) => {
    const { answers, problems, happened } = one(name);
    expect(problems).toEqual([]);
    const predicted = answers.map(({ id, servers }) => [id, ...servers.map(({ address }) => address)]);
    expect(predicted).toEqual([...happened]);
    // Only where no virtual server is left must something be taken for granted.
    const assumed = answers.filter(({ assuming }) => assuming.length > 0).map(({ id }) => id);
    expect(assumed).toEqual(name === "service-gone" ? ["6", "7", "8"] : []);
  });

  test("without the order and the history, what happened is among what may be", () => {
    for (const name of IPVS_CASES) {
      const connections = caseFile(name, "connections.tsv");
      const { answers } = replayed(caseFile(name, "ipvsadm-restore.txt"), connections, { sorted: true });
      const happened = reals(connections);
      // Full servers refuse, and how full they are needs counts.
      if (/threshold|full|ovf/.test(name)) continue;
      for (const { id, servers } of answers)
        expect(
          servers.map(({ address }) => address),
          `${name} ${id}`,
        ).toContain(happened.get(id));
    }
  });
});
