import type { Schemas } from "../../api/client";

/** As an input's attribute, which is for the whole text and reads a class as the flag v does. */
export const nodePattern = "[A-Za-z0-9]([\\-.]?[A-Za-z0-9])*";
export const nodeLengthMax = 128;
const wholeNodeName = new RegExp(`^${nodePattern}$`);

/** The token's name where it can be a node's name, else a name to be replaced. */
export function nodeNameFrom(tokenName: string): string {
  const isName = wholeNodeName.test(tokenName) && tokenName.length <= nodeLengthMax;
  return isName ? tokenName : "node-02";
}

/** A string that YAML reads back as it is (JSON's strings are YAML's). */
function quoted(value: string): string {
  return JSON.stringify(value);
}

/** What a new node's configuration says of it. */
export interface NodeWords {
  id: string;
  region: string;
  environment: string;
  /** host:port at which its /health is asked; "" where it sends its health. */
  address: string;
}

/** What starts an agent on one more machine: its configuration and the command, to paste into a shell. */
export function agentCommand(
  customer: { id: string; name: string },
  node: NodeWords,
  token: string,
  system: Schemas["System"] | undefined,
): string {
  const endpoint = system?.addresses.collector_grpc || "http://COLLECTOR:4317";
  const port = /:(\d+)$/.exec(node.address)?.[1];
  const isEncrypted = node.address.startsWith("https://");
  const everywhere = node.address.replace("https://", "").startsWith("[") ? "[::]" : "0.0.0.0";
  const listen = quoted(port === undefined ? "127.0.0.1:8080" : `${everywhere}:${port}`);
  // What was not said of the node is not made up: the pages would then say something else than its series.
  const region = node.region === "" ? "" : `, region: ${quoted(node.region)}`;
  const tls = isEncrypted ? ", tls: {cert_file: health.crt, key_file: health.key}" : "";
  return [
    "cat > vigia-agent.yaml <<'END_OF_FILE'",
    `customer: {id: ${customer.id}, name: ${quoted(customer.name)}}`,
    `node: {id: ${node.id}${region}}`,
    ...(node.environment === "" ? [] : [`environment: ${quoted(node.environment)}`]),
    "collector:",
    `  endpoint: ${quoted(endpoint)}`,
    "  protocol: grpc",
    '  token: "${env:VIGIA_TOKEN}"',
    // A node that pushes is asked by nobody from outside.
    `health: {listen: ${listen}${tls}}`,
    "buffer: {directory: ./vigia-buffer}",
    "END_OF_FILE",
    `VIGIA_TOKEN=${token} \\`,
    "  vigia-agent --config vigia-agent.yaml",
  ].join("\n");
}

/** What an OpenTelemetry SDK needs that sends without an agent: the standard variables, for a shell. */
export function sdkCommand(
  customerId: string,
  token: string,
  system: Schemas["System"] | undefined,
): string {
  const http = system?.addresses.collector_http ?? "";
  const grpc = system?.addresses.collector_grpc ?? "";
  const isGrpc = http === "" && grpc !== "";
  return [
    `export OTEL_EXPORTER_OTLP_ENDPOINT=${(isGrpc ? grpc : http) || "http://COLLECTOR:4318"}`,
    `export OTEL_EXPORTER_OTLP_PROTOCOL=${isGrpc ? "grpc" : "http/protobuf"}`,
    `export OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20${token}`,
    `export OTEL_RESOURCE_ATTRIBUTES=customer.id=${customerId}`,
  ].join("\n");
}

/** The same on a node with an agent: it knows token and customer. */
export const localSdkCommand = [
  "export OTEL_EXPORTER_OTLP_ENDPOINT=http://localhost:4318",
  "export OTEL_EXPORTER_OTLP_PROTOCOL=http/protobuf",
].join("\n");

/** The collector's address where other machines cannot reach it, else null. */
export function loopbackCollector(system: Schemas["System"] | undefined): string | null {
  const address = system?.addresses.collector_grpc ?? "";
  return /^https?:\/\/(127\.|localhost[:/]|\[::1\])/.test(address) ? address : null;
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

/** A first question to the control plane with a managing token. */
export function manageCommand(token: string, portal: string): string {
  return [`curl -H 'Authorization: Bearer ${token}' \\`, `  ${portal}/api/v1/customers`].join("\n");
}
