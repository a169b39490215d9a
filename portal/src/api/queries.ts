import {
  QueryCache,
  QueryClient,
  keepPreviousData,
  useMutation,
  useQuery,
  useQueryClient,
} from "@tanstack/react-query";
import { ApiError, api, setCsrfToken, unwrap, type Schemas } from "./client";
import { clockOffsetMs } from "./freshness_of";
import { withoutOwnAbsence } from "./own_absence";

export type Session = Schemas["Session"];
export type Overview = Schemas["Overview"];
export type OverviewCustomer = Schemas["OverviewCustomer"];
export type OverviewNode = Schemas["OverviewNode"];
export type Alert = Schemas["Alert"];
export type Customer = Schemas["Customer"];
export type Token = Schemas["Token"];
export type CreatedToken = Schemas["CreatedToken"];
export type NodeMetrics = Schemas["NodeMetrics"];
export type Scope = Token["scope"];

/** The server renews its overview every 5 s: asking more often shows nothing new. */
export const pollMs = 5_000;
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

const systemStaleMs = 60_000;

/** From what happens now to what happened two years ago; the server knows from which store. */
export const ranges = ["15m", "1h", "6h", "24h", "7d", "30d", "1y", "2y"] as const;
export type Range = (typeof ranges)[number];

export function newQueryClient(): QueryClient {
  const client: QueryClient = new QueryClient({
    queryCache: new QueryCache({
      onError: (error) => {
        if (error instanceof ApiError && error.status === 401) changeSession(client, null, true);
      },
    }),
    defaultOptions: {
      queries: {
        // Polling is the retry; and the browser's own idea of being offline does not matter on a local net.
        retry: false,
        networkMode: "always",
        refetchOnWindowFocus: true,
      },
      mutations: { retry: false, networkMode: "always" },
    },
  });
  return client;
}

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

export function useOverview() {
  return useQuery({
    queryKey: ["overview"],
    queryFn: ({ signal }) => unwrap(api.GET("/overview", { signal })),
    select: withoutOwnAbsence,
    refetchInterval: pollMs,
    // The title of the tab tells of a node that went down while another tab is in front.
    refetchIntervalInBackground: true,
  });
}

/** How far the server's clock is ahead of the browser's, by the newest overview. */
export function useClockOffsetMs(): number {
  const { data, dataUpdatedAt } = useOverview();
  return clockOffsetMs(data === undefined ? null : new Date(data.generated_at), dataUpdatedAt);
}

export function useAlerts() {
  return useQuery({
    queryKey: ["alerts"],
    queryFn: async ({ signal }) => (await unwrap(api.GET("/alerts", { signal }))).alerts,
    refetchInterval: pollMs,
    // The sign in the title of the tab is that of the worst of them.
    refetchIntervalInBackground: true,
  });
}

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

export function useSystem() {
  return useQuery({
    queryKey: ["system"],
    queryFn: ({ signal }) => unwrap(api.GET("/system", { signal })),
    // Changes only when the server is started anew.
    staleTime: systemStaleMs,
  });
}

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
