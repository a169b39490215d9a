import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "../../api/client";
import { pollMs } from "../../api/poll";

export type OperatorToken = Schemas["OperatorToken"];
export type OperatorScope = OperatorToken["scope"];

const key = ["operator-tokens"];

export function useOperatorTokens() {
  return useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => (await unwrap(api.GET("/operator-tokens", { signal }))).tokens,
    refetchInterval: pollMs,
  });
}

export function useCreateOperatorToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: { name: string; scope: OperatorScope }) =>
      unwrap(api.POST("/operator-tokens", { body })),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
  });
}

export function useRevokeOperatorToken() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (tokenId: string) =>
      unwrap(
        api.DELETE("/operator-tokens/{token_id}", { params: { path: { token_id: tokenId } } }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: key }),
  });
}
