import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "../../api/client";
import { pollMs } from "../../api/poll";

export function useTokens(customerId: string) {
  return useQuery({
    queryKey: ["tokens", customerId],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/customers/{customer_id}/tokens", {
            params: { path: { customer_id: customerId } },
            signal,
          }),
        )
      ).tokens,
    refetchInterval: pollMs,
  });
}

export function useCreateToken(customerId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewToken"]) =>
      unwrap(
        api.POST("/customers/{customer_id}/tokens", {
          params: { path: { customer_id: customerId } },
          body,
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["tokens", customerId] }),
  });
}

export function useRevokeToken(customerId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (tokenId: string) =>
      unwrap(
        api.DELETE("/customers/{customer_id}/tokens/{token_id}", {
          params: { path: { customer_id: customerId, token_id: tokenId } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["tokens", customerId] }),
  });
}
