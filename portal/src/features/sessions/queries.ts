import { useMutation, useQuery, useQueryClient } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "../../api/client";
import { pollMs } from "../../api/poll";
import { changeSession } from "../../api/session";

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

export function useLogIn() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: (body: Schemas["Credentials"]) => unwrap(api.POST("/session", { body })),
    onSuccess: (session) => {
      changeSession(client, session);
    },
  });
}

export function useLogOut() {
  const client = useQueryClient();
  return useMutation({
    mutationFn: () => unwrap(api.DELETE("/session")),
    onSuccess: () => {
      changeSession(client, null);
    },
  });
}

export function useChangePassword() {
  return useMutation({
    mutationFn: (words: { current: string; next: string }) =>
      unwrap(
        api.POST("/session/password", {
          body: { current_password: words.current, new_password: words.next },
        }),
      ),
  });
}
