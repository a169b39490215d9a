import { execFileSync } from "node:child_process";
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterEach, beforeEach, describe, expect, it } from "vitest";
import { system } from "../../testing/recorded";
import {
  agentCommand,
  loopbackCollector,
  nodeNameFrom,
  queryCommand,
  sdkCommand,
} from "./commands";

const web02 = { id: "web-02", region: "eu", environment: "", address: "" };

describe("agentCommand", () => {
  let folder: string;
  beforeEach(() => {
    folder = mkdtempSync(join(tmpdir(), "vigia-portal-"));
    // Stands where the agent's binary would: says what it was started with.
    const agent = '#!/bin/sh\necho "$VIGIA_TOKEN $*"\n';
    writeFileSync(join(folder, "vigia-agent"), agent, { mode: 0o755 });
  });
  afterEach(() => {
    rmSync(folder, { recursive: true });
  });

  function run(command: string) {
    const path = `${folder}:${process.env["PATH"] ?? ""}`;
    return execFileSync("sh", ["-c", command], { cwd: folder, env: { PATH: path } }).toString();
  }

  it("writes the configuration and starts the agent with the token in its environment", () => {
    const owner = { id: "cliente-a", name: "Empresa XYZ" };
    const command = agentCommand(owner, web02, "vgi_1", system);
    expect(run(command)).toBe("vgi_1 --config vigia-agent.yaml\n");
    const written = readFileSync(join(folder, "vigia-agent.yaml"), "utf8");
    expect(written).toContain('customer: {id: cliente-a, name: "Empresa XYZ"}');
    expect(written).toContain('node: {id: web-02, region: "eu"}');
    expect(written).toContain('health: {listen: "127.0.0.1:8080"}');
    expect(written).toContain('endpoint: "http://collector.example:4317"');
    expect(written).toContain('token: "${env:VIGIA_TOKEN}"');
  });

  it("keeps a name that looks like shell or YAML a name", () => {
    const name = 'A "B" $(touch hacked) `x`\nEND_OF_FILE\n: {';
    run(agentCommand({ id: "a", name }, web02, "vgi_1", system));
    const [customer] = readFileSync(join(folder, "vigia-agent.yaml"), "utf8").split("\n");
    expect(customer).toBe(`customer: {id: a, name: ${JSON.stringify(name)}}`);
  });

  it("says of the node what was said of it, and no more", () => {
    const written = (region: string, environment: string) =>
      agentCommand({ id: "a", name: "A" }, { ...web02, region, environment }, "vgi_1", system);
    expect(written("", "")).toContain("node: {id: web-02}\ncollector:");
    expect(written("", "staging")).toContain('node: {id: web-02}\nenvironment: "staging"');
  });

  it("says where an address has to be filled in", () => {
    expect(agentCommand({ id: "a", name: "A" }, web02, "vgi_1", undefined)).toContain(
      '"http://COLLECTOR:4317"',
    );
  });
});

describe("agentCommand for a node that is asked", () => {
  it("opens its /health to the provider, on the port that was registered", () => {
    const at = (address: string) =>
      agentCommand({ id: "a", name: "A" }, { ...web02, address }, "vgi_1", system);
    expect(at("10.0.0.7:8081")).toContain('health: {listen: "0.0.0.0:8081"}');
    expect(at("[2001:db8::7]:8081")).toContain('health: {listen: "[::]:8081"}');
    const tls = "tls: {cert_file: health.crt, key_file: health.key}";
    expect(at("https://10.0.0.7:8443")).toContain(`health: {listen: "0.0.0.0:8443", ${tls}}`);
    expect(at("https://[2001:db8::7]:8443")).toContain(`health: {listen: "[::]:8443", ${tls}}`);
  });
});

describe("loopbackCollector", () => {
  it("knows an address that no other machine reaches", () => {
    const at = (collector_grpc: string) =>
      loopbackCollector({ ...system, addresses: { ...system.addresses, collector_grpc } });
    expect(at("http://127.0.0.1:4317")).toBe("http://127.0.0.1:4317");
    expect(at("http://localhost:4317")).toBe("http://localhost:4317");
    expect(at("http://[::1]:4317")).toBe("http://[::1]:4317");
    expect(at("https://collector.example:4317")).toBeNull();
    expect(loopbackCollector(undefined)).toBeNull();
  });
});

describe("nodeNameFrom", () => {
  it("takes the token's name only where it can name a node", () => {
    expect(nodeNameFrom("prod-web.02")).toBe("prod-web.02");
    expect(nodeNameFrom("the new one")).toBe("node-02");
    expect(nodeNameFrom("x".repeat(129))).toBe("node-02");
  });
});

describe("sdkCommand", () => {
  // The first OTLP of an SDK was refused, and nothing said that customer.id was missing (C-B1).
  it("names everything that an SDK needs, as a shell reads it", () => {
    const variables = (more: typeof system) =>
      execFileSync("sh", ["-c", `${sdkCommand("cliente-a", "vgi_1", more)}; env`], { env: {} })
        .toString()
        .split("\n");
    const { addresses } = system;
    const http = {
      ...system,
      addresses: { ...addresses, collector_http: "https://c.example:4318" },
    };
    for (const line of [
      "OTEL_EXPORTER_OTLP_ENDPOINT=https://c.example:4318",
      "OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
      "OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20vgi_1",
      "OTEL_RESOURCE_ATTRIBUTES=customer.id=cliente-a",
    ]) {
      expect(variables(http)).toContain(line);
    }
    expect(variables(system)).toContain(
      "OTEL_EXPORTER_OTLP_ENDPOINT=http://collector.example:4317",
    );
    expect(variables(system)).toContain("OTEL_EXPORTER_OTLP_PROTOCOL=grpc");
  });
});

describe("queryCommand", () => {
  it("asks the router with the token", () => {
    const command = queryCommand("vgr_1", system);
    expect(command).toContain("'Authorization: Bearer vgr_1'");
    expect(command).toContain("http://router.example:9095/api/v1/query");
  });
});
