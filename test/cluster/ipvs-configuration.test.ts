// The ipvs part of a KubeProxyConfiguration, and durations as Go reads them.
import fc from "fast-check";
import { describe, expect, test } from "vitest";
import { readDuration } from "../../src/cluster/objects/duration.js";
import { readCluster } from "../../src/cluster/read.js";
import { readDocuments } from "../../src/documents/read.js";

describe("readDuration", () => {
  test.each([
    ["0", 0],
    ["0s", 0],
    ["15m", 900],
    ["1h30m0s", 5400],
    ["1.5s", 1.5],
    [".5s", 0.5],
    ["2.h", 7200],
    ["250ms", 0.25],
    ["-5s", -5],
    ["+5s", 5],
    ["", undefined],
    ["-", undefined],
    ["5", undefined],
    ["5 s", undefined],
    ["s", undefined],
    [".s", undefined],
    ["1d", undefined],
    ["1h30", undefined],
    ["--5s", undefined],
    ["9999999h", undefined],
  ])("%j is %j seconds", (text, seconds) => {
    expect(readDuration(text)).toBe(seconds);
  });

  test("any whole hours, minutes and seconds add up", () => {
    const small = fc.nat({ max: 1000 });
    fc.assert(
      fc.property(small, small, small, (hours, minutes, seconds) => {
        const text = `${hours}h${minutes}m${seconds}s`;
        expect(readDuration(text)).toBe(hours * 3600 + minutes * 60 + seconds);
        expect(readDuration(`-${text}`)).toBe(-(hours * 3600 + minutes * 60 + seconds));
      }),
    );
  });

  test("a long text takes no longer than its length", () => {
    const digits = "1".repeat(1_000_000);
    expect(readDuration(digits)).toBeUndefined();
    expect(readDuration(`${digits}${"1s".repeat(100_000)}x`)).toBeUndefined();
  });
});

test("every field of the ipvs part", () => {
  const text = `apiVersion: kubeproxy.config.k8s.io/v1alpha1
kind: KubeProxyConfiguration
mode: ipvs
ipvs:
  scheduler: sh
  excludeCIDRs: [172.30.0.0/16, "fd00::/8"]
  strictARP: true
  syncPeriod: 30s
  minSyncPeriod: 0s
  tcpTimeout: 15m
  tcpFinTimeout: 90s
  udpTimeout: 1500ms
`;
  const { model, problems } = readCluster(readDocuments({ name: "proxy", text }).documents);
  expect(problems).toEqual([]);
  expect(model.proxy?.ipvs).toEqual({
    scheduler: "sh",
    excludeCIDRs: ["172.30.0.0/16", "fd00::/8"],
    strictARP: true,
    timeouts: { tcp: 900, tcpFin: 90, udp: 1 },
  });
});

test("a scheduler that kernels have and kube-proxy does not list is told", () => {
  const text =
    "apiVersion: kubeproxy.config.k8s.io/v1alpha1\nkind: KubeProxyConfiguration\nmode: ipvs\nipvs: {scheduler: fo}\n";
  const { model, problems } = readCluster(readDocuments({ name: "proxy", text }).documents);
  expect(model.proxy?.ipvs.scheduler).toBe("fo");
  expect(problems.map(({ code, severity }) => `${code} ${severity}`)).toEqual(["LF5005 warning"]);
});
