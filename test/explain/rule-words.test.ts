// Single rules in plain words: all that a rule says is in them.
import { expect, test } from "vitest";
import { landfall } from "../cli/terminal.js";

async function fact(rule: string, label: "asks" | "does"): Promise<string | undefined> {
  const { stdout } = await landfall(["explain", "-"], { stdin: `${rule}\n` });
  return new RegExp(`^  ${label} +(.*)$`, "m").exec(stdout)?.[1];
}

test.each([
  ["-A ISTIO_REDIRECT -p tcp -j REDIRECT --to-ports 15001", "REDIRECT to this node, port 15001"],
  [
    "-A PREROUTING -p tcp -j REDIRECT --to-ports 8000-8010 --random",
    "REDIRECT to this node, ports 8000-8010, random port",
  ],
  ["-A POSTROUTING -p tcp -j MASQUERADE --to-ports 1024-2048", "MASQUERADE, ports 1024-2048"],
  ["-A POSTROUTING -j MASQUERADE --random-fully", "MASQUERADE, random port"],
  ["-A POSTROUTING -j SNAT --to-source 192.0.2.1 --random-fully", "SNAT 192.0.2.1, random port"],
  [
    "-A POSTROUTING -j SNAT --to-source 192.0.2.1-192.0.2.9 --persistent",
    "SNAT 192.0.2.1-192.0.2.9, one address for a client",
  ],
  ["-A PREROUTING -d 192.0.2.0/24 -j NETMAP --to 10.0.0.0/24", "NETMAP 10.0.0.0/24"],
  [
    "-A KUBE-SEP-2HP72ZIPYAM5HUSK -p tcp -m recent --set --name LIST --mask 255.255.255.255 --rsource -m tcp -j DNAT --to-destination 10.0.0.5:80",
    "note the source in list LIST, DNAT 10.0.0.5:80",
  ],
  [
    "-A INPUT -p tcp -m recent --remove --name LIST --rsource -j DROP",
    "take the source from list LIST, DROP",
  ],
])("%s", async (rule, does) => {
  expect(await fact(rule, "does")).toBe(does);
});

test("a text without a rule that can be read", async () => {
  const { stdout } = await landfall(["explain", "-"], {
    stdin:
      "6322K 4565M cali-fw-azv58948d172f9  all  --  azv58948d172f9 *       0.0.0.0/0            0.0.0.0/0           [goto]\n1774K  132M DROP       all  --  *      *       0.0.0.0/0            0.0.0.0/0\n",
  });
  expect(stdout).toBe("no rule and no virtual server could be read\n");
});
