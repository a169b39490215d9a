import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "../../api/client";
import { pollMs } from "../../api/poll";

export type Channel = Schemas["Channel"];
export type ChannelType = Channel["type"];

export function useChannels(customerId: string) {
  return useQuery({
    queryKey: ["channels", customerId],
    queryFn: async ({ signal }) =>
      (
        await unwrap(
          api.GET("/customers/{customer_id}/channels", {
            params: { path: { customer_id: customerId } },
            signal,
          }),
        )
      ).channels,
    refetchInterval: pollMs,
  });
}

export function useCreateChannel(customerId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["NewChannel"]) =>
      unwrap(
        api.POST("/customers/{customer_id}/channels", {
          params: { path: { customer_id: customerId } },
          body,
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["channels", customerId] }),
  });
}

export function useRemoveChannel(customerId: string) {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (channelId: string) =>
      unwrap(
        api.DELETE("/customers/{customer_id}/channels/{channel_id}", {
          params: { path: { customer_id: customerId, channel_id: channelId } },
        }),
      ),
    onSuccess: () => client.invalidateQueries({ queryKey: ["channels", customerId] }),
  });
}
