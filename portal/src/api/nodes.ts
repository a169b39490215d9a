import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "./client";

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
