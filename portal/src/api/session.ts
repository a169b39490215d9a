import { useQuery, type QueryClient } from "@tanstack/react-query";
import { ApiError, api, setCsrfToken, unwrap } from "./client";
import { pollMs } from "./poll";
import type { Session } from "./types";

const sessionKey = ["session"];

/** Who is logged in; null when nobody is. */
export function useSession() {
  return useQuery({
    queryKey: sessionKey,
    queryFn: async ({ signal }): Promise<Session | null> => {
      try {
        const session = await unwrap(api.GET("/session", { signal }));
        setCsrfToken(session.csrf_token);
        return session;
      } catch (error) {
        if (error instanceof ApiError && error.status === 401) return null;
        throw error;
      }
    },
    staleTime: Infinity,
    refetchInterval: (query) => (query.state.status === "error" ? pollMs : false),
  });
}

const endedKey = [...sessionKey, "ended"];

/** True where nobody is logged in because the server has ended the session that there was. */
export function useHasSessionEnded(): boolean {
  return useQuery({ queryKey: endedKey, queryFn: () => false, enabled: false, initialData: false })
    .data;
}

/** Puts another session, or none, in the place of the one before; what was shown to that one is forgotten. */
export function changeSession(client: QueryClient, session: Session | null, hasEnded = false) {
  setCsrfToken(session?.csrf_token ?? null);
  // The session's own entry must stay: what watches it would not see a new one.
  client.removeQueries({ predicate: (query) => query.queryKey[0] !== sessionKey[0] });
  client.setQueryData(endedKey, hasEnded);
  client.setQueryData(sessionKey, session);
}
