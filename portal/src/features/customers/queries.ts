import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "../../api/client";
import { pollMs } from "../../api/poll";

export function useCustomers() {
  return useQuery({
    queryKey: ["customers"],
    queryFn: async ({ signal }) => (await unwrap(api.GET("/customers", { signal }))).customers,
    refetchInterval: pollMs,
  });
}

export function useCreateCustomer() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewCustomer"]) => unwrap(api.POST("/customers", { body })),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["customers"] }),
        client.invalidateQueries({ queryKey: ["overview"] }),
      ]),
  });
}

export function useChangeCustomer(customerId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["CustomerChange"]) =>
      unwrap(
        api.PATCH("/customers/{customer_id}", {
          params: { path: { customer_id: customerId } },
          body,
        }),
      ),
    onSuccess: () =>
      Promise.all([
        client.invalidateQueries({ queryKey: ["customers"] }),
        client.invalidateQueries({ queryKey: ["overview"] }),
      ]),
  });
}
