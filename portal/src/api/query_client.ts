import { QueryCache, QueryClient } from "@tanstack/react-query";
import { ApiError } from "./client";
import { changeSession } from "./session";

/** Asks again by polling alone; where the server knows no session any more, nobody is logged in. */
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
