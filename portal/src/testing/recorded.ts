import { vi } from "vitest";
import type { Schemas } from "../api/client";

/** Answers of the monitor as the contract describes them: the types break this file when the contract moves. */
export const operatorSession: Schemas["Session"] = {
  user: "admin",
  role: "operator",
  customer_id: null,
  customer_name: null,
  csrf_token: "4f1d",
  expires_at: "2026-11-26T03:00:00Z",
  idle_expires_at: "2026-11-25T04:00:00Z",
};

export const customerSession: Schemas["Session"] = {
  ...operatorSession,
  user: "ana",
  role: "customer",
  customer_id: "cliente-a",
  customer_name: "Empresa XYZ",
};

export function node(
  id: string,
  change: Partial<Schemas["OverviewNode"]> = {},
): Schemas["OverviewNode"] {
  return {
    id,
    region: "us-east-1",
    environment: "production",
    reach: "scrape",
    status: "up",
    status_reason: null,
    cpu_percent: 12.345,
    memory_percent: 48.2,
    buffer_percent: 0,
    collector_reachable: true,
    last_seen: "2026-11-25T03:00:00Z",
    ...change,
  };
}

export function customer(
  id: string,
  name: string,
  nodes: Schemas["OverviewNode"][],
): Schemas["OverviewCustomer"] {
  const count = (status: string) => nodes.filter((one) => one.status === status).length;
  return {
    id,
    name,
    is_enabled: true,
    nodes_up: count("up"),
    nodes_down: count("down"),
    nodes_unknown: count("unknown"),
    alerts_firing: 0,
    alerts_left_out: 0,
    are_more_left_out: false,
    nodes,
  };
}

export function customerRow(
  id: string,
  name: string,
  change: Partial<Schemas["Customer"]> = {},
): Schemas["Customer"] {
  return {
    id,
    name,
    is_enabled: true,
    hot_shard: "hot-0",
    hot_shards: [],
    language: "es",
    reference: "",
    limits: {},
    created_at: "2026-11-20T00:00:00Z",
    ...change,
  };
}

export function overview(customers: Schemas["OverviewCustomer"][]): Schemas["Overview"] {
  return {
    generated_at: "2026-11-25T03:00:04Z",
    warnings: [],
    away: [],
    provider_alerts_firing: 0,
    customers,
  };
}

/** Curves of which CPU is of interest. */
export function nodeMetrics(
  values: (number | null)[],
  down_share: (number | null)[],
  outage_share: number[] = values.map(() => 0),
): Schemas["NodeMetrics"] {
  const known = values.filter((value) => value !== null);
  const summary =
    known.length === 0
      ? null
      : { minimum: Math.min(...known), average: 5, maximum: Math.max(...known) };
  const from = Date.parse("2026-11-25T02:58:00Z") / 1000;
  const columns = { percent: values, minimum: values, maximum: values };
  return {
    customer_id: "cliente-a",
    node_id: "web-01",
    from: "2026-11-25T02:58:00Z",
    to: new Date((from + (values.length - 1) * 15) * 1000).toISOString(),
    step_seconds: 15,
    times: values.map((_, at) => from + at * 15),
    cpu_percent: columns.percent,
    cpu_minimum: columns.minimum,
    cpu_maximum: columns.maximum,
    memory_percent: columns.percent,
    memory_minimum: columns.minimum,
    memory_maximum: columns.maximum,
    down_share,
    outage_share,
    outages: [],
    cpu_summary: summary,
    memory_summary: summary,
    served: "hot=a/b",
    warnings: [],
  };
}

export function alert(change: Partial<Schemas["Alert"]> = {}): Schemas["Alert"] {
  return {
    id: "1",
    name: "CustomerNodeDown",
    severity: "critical",
    state: "firing",
    customer_id: "cliente-b",
    node_id: "edge-02",
    summary: "Nodo edge-02 del cliente cliente-b está caído",
    summary_en: "Node edge-02 of customer cliente-b is down",
    started_at: "2026-11-25T02:58:00Z",
    labels: {},
    ...change,
  };
}

export const system: Schemas["System"] = {
  version: "1",
  node_down_for: "2m",
  is_shortened: false,
  kept_days: 400,
  provider_is_told: false,
  addresses: {
    collector_grpc: "http://collector.example:4317",
    collector_http: "",
    router: "http://router.example:9095",
  },
};

export interface Recorded {
  status?: number;
  body?: unknown;
}

type Answer = Recorded | "no connection" | ((request: Request) => Recorded | Promise<Recorded>);

/**
 * Puts recorded answers in the place of the network, by “METHOD /path”. What is not recorded is 404, as at the monitor.
 * Gives the requests that were made.
 */
export function record(answers: Record<string, Answer>): { requests: Request[] } {
  const requests: Request[] = [];
  vi.stubGlobal("fetch", async (request: Request): Promise<Response> => {
    requests.push(request);
    const path = new URL(request.url).pathname.replace("/api/v1", "");
    const answer = answers[`${request.method} ${path}`] ?? {
      status: 404,
      body: { error: "not_found", message: "no such thing" },
    };
    if (answer === "no connection") throw new TypeError("Failed to fetch");
    const { status = 200, body } = typeof answer === "function" ? await answer(request) : answer;
    return new Response(body === undefined ? null : JSON.stringify(body), {
      status,
      headers: { "Content-Type": "application/json" },
    });
  });
  return { requests };
}
