import type { UseQueryResult } from "@tanstack/react-query";
import type { Freshness } from "../ui/freshness";

/** How fresh a query's data is; where the server says when it was made, that counts. */
export function freshnessOf(
  query: Pick<UseQueryResult, "isError" | "dataUpdatedAt">,
  generatedAt: Date | null = null,
): Freshness {
  const received = query.dataUpdatedAt === 0 ? null : new Date(query.dataUpdatedAt);
  return { updatedAt: generatedAt ?? received, isLost: query.isError };
}

/** How far the server's clock is ahead of ours, so that a wrong clock here does not falsify “4 s ago”. */
export function clockOffsetMs(generatedAt: Date | null, receivedAtMs: number): number {
  return generatedAt === null ? 0 : generatedAt.getTime() - receivedAtMs;
}
