import { useQuery } from "@tanstack/react-query";
import { api, unwrap } from "../api/client";
import { clockOffsetMs } from "../api/freshness_of";
import { pollMs } from "../api/poll";
import { withoutOwnAbsence } from "./own_absence";

const systemStaleMs = 60_000;

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

export function useSystem() {
  return useQuery({
    queryKey: ["system"],
    queryFn: ({ signal }) => unwrap(api.GET("/system", { signal })),
    // Changes only when the server is started anew.
    staleTime: systemStaleMs,
  });
}
