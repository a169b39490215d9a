import type { Schemas } from "../../api/client";

const nodePattern = /^[A-Za-z0-9]([-.]?[A-Za-z0-9])*$/;
const nodeLengthMax = 128;

/** The token's name where it can be a node's name, else a name to be replaced. */
export function nodeNameFrom(tokenName: string): string {
  const isName = nodePattern.test(tokenName) && tokenName.length <= nodeLengthMax;
  return isName ? tokenName : "node-02";
}

/** A string that YAML reads back as it is (JSON's strings are YAML's). */
function quoted(value: string): string {
  return JSON.stringify(value);
}

/** What starts an agent on one more machine: its configuration and the command, to paste into a shell. */
export function agentCommand(
  customer: { id: string; name: string },
  tokenName: string,
  token: string,
  system: Schemas["System"] | undefined,
): string {
  const endpoint = system?.addresses.collector_grpc || "http://COLLECTOR:4317";
  return [
    "cat > vigia-agent.yaml <<'END_OF_FILE'",
    `customer: {id: ${customer.id}, name: ${quoted(customer.name)}}`,
    `node: {id: ${nodeNameFrom(tokenName)}, region: local}`,
    "environment: production",
    "collector:",
    `  endpoint: ${quoted(endpoint)}`,
    "  protocol: grpc",
    '  token: "${env:VIGIA_TOKEN}"',
    "buffer: {directory: ./vigia-buffer}",
    "END_OF_FILE",
    `VIGIA_TOKEN=${token} \\`,
    "  vigia-agent --config vigia-agent.yaml",
  ].join("\n");
}

/** A first question to the router with a read token. */
export function queryCommand(token: string, system: Schemas["System"] | undefined): string {
  const router = system?.addresses.router || "http://ROUTER:9095";
  return [
    `curl -H 'Authorization: Bearer ${token}' \\`,
    "  --data-urlencode 'query=avg(system_cpu_usage) by (node_id)' \\",
    `  ${router}/api/v1/query`,
  ].join("\n");
}
