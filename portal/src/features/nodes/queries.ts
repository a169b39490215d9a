import { keepPreviousData, useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "../../api/client";
import { pollMs } from "../../api/poll";

export type Node = Schemas["Node"];

/** A node as it was registered; the overview shows how it is. */
export function useNode(customerId: string, nodeId: string) {
  return useQuery({
    queryKey: ["nodes", customerId, nodeId],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET("/customers/{customer_id}/nodes/{node_id}", {
          params: { path: { customer_id: customerId, node_id: nodeId } },
          signal,
        }),
      ),
  });
}

function useRefreshNodes() {
  const client = useQueryClient();
  return () =>
    Promise.all([
      client.invalidateQueries({ queryKey: ["nodes"] }),
      client.invalidateQueries({ queryKey: ["overview"] }),
    ]);
}

export function useCreateNode(customerId: string) {
  const refresh = useRefreshNodes();
  return useMutation({
    mutationFn: (body: Schemas["NewNode"]) =>
      unwrap(
        api.POST("/customers/{customer_id}/nodes", {
          params: { path: { customer_id: customerId } },
          body,
        }),
      ),
    onSuccess: refresh,
  });
}

export function useChangeNode(customerId: string, nodeId: string) {
  const refresh = useRefreshNodes();
  return useMutation({
    mutationFn: (body: Schemas["NodeChange"]) =>
      unwrap(
        api.PATCH("/customers/{customer_id}/nodes/{node_id}", {
          params: { path: { customer_id: customerId, node_id: nodeId } },
          body,
        }),
      ),
    onSuccess: refresh,
  });
}

export function useRetireNode(customerId: string, nodeId: string) {
  const refresh = useRefreshNodes();
  return useMutation({
    mutationFn: () =>
      unwrap(
        api.DELETE("/customers/{customer_id}/nodes/{node_id}", {
          params: { path: { customer_id: customerId, node_id: nodeId } },
        }),
      ),
    onSuccess: refresh,
  });
}

/** From what happens now to what happened two years ago, with their days; the server knows from which store. */
const daysOf = {
  "15m": 0,
  "1h": 0,
  "6h": 0,
  "24h": 1,
  "7d": 7,
  "30d": 30,
  "1y": 365,
  "2y": 730,
} as const;
export type Range = keyof typeof daysOf;
export const ranges = Object.keys(daysOf) as readonly Range[];

/** Those of which something can be there; all while that is not known, and where everything is kept. */
export function keptRanges(keptDays: number | undefined): readonly Range[] {
  return ranges.filter((range) => !keptDays || daysOf[range] <= keptDays);
}

/** Curves have a point every 15 s at best; long ones change slowly and are dear to read. */
const curvePollMs = {
  "15m": pollMs,
  "1h": 15_000,
  "6h": 15_000,
  "24h": 30_000,
  "7d": 60_000,
  "30d": 60_000,
  "1y": 300_000,
  "2y": 300_000,
} satisfies Record<Range, number>;

export function useNodeMetrics(customerId: string, nodeId: string, range: Range, isEnabled = true) {
  return useQuery({
    queryKey: ["metrics", customerId, nodeId, range],
    queryFn: ({ signal }) =>
      unwrap(
        api.GET("/customers/{customer_id}/nodes/{node_id}/metrics", {
          params: { path: { customer_id: customerId, node_id: nodeId }, query: { range } },
          signal,
        }),
      ),
    enabled: isEnabled,
    placeholderData: keepPreviousData,
    refetchInterval: curvePollMs[range],
  });
}
