import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "../../api/client";

export type User = Schemas["User"];

/** Whose users: a customer's id, or null for the provider's own. */
type OwnerId = string | null;

export function useUsers(owner: OwnerId) {
  return useQuery({
    queryKey: ["users", owner],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          owner === null
            ? api.GET("/operators", { signal })
            : api.GET("/customers/{customer_id}/users", {
                params: { path: { customer_id: owner } },
                signal,
              }),
        )
      ).users,
  });
}

export function useCreateUser(owner: OwnerId) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewUser"]) =>
      unwrap(
        owner === null
          ? api.POST("/operators", { body })
          : api.POST("/customers/{customer_id}/users", {
              params: { path: { customer_id: owner } },
              body,
            }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["users", owner] }),
  });
}

export function useChangeUser(owner: OwnerId) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: ({ id, ...body }: Schemas["UserChange"] & { id: string }) =>
      unwrap(
        owner === null
          ? api.PATCH("/operators/{user_id}", { params: { path: { user_id: id } }, body })
          : api.PATCH("/customers/{customer_id}/users/{user_id}", {
              params: { path: { customer_id: owner, user_id: id } },
              body,
            }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["users", owner] }),
  });
}
