import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "./client";
import { pollMs } from "./queries";

export type OwnSession = Schemas["SessionSummary"];

const key = ["sessions"];

export function useOwnSessions() {
  return useQuery({
    queryKey: key,
    queryFn: async ({ signal }) => (await unwrap(api.GET("/sessions", { signal }))).sessions,
    refetchInterval: pollMs,
  });
}

export function useEndSession() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (sessionId: string) =>
      unwrap(api.DELETE("/sessions/{session_id}", { params: { path: { session_id: sessionId } } })),
    onSettled: () => client.invalidateQueries({ queryKey: key }),
  });
}
