import type { UseQueryResult } from "@tanstack/react-query";
import type { Freshness } from "../ui/freshness";
import { ApiError } from "./client";

/** How fresh a query's data is; where the server says when it was made, that counts. */
export function freshnessOf(
  query: Pick<UseQueryResult, "error" | "dataUpdatedAt">,
  generatedAt: Date | null = null,
): Freshness {
  const received = query.dataUpdatedAt === 0 ? null : new Date(query.dataUpdatedAt);
  const { error } = query;
  const isAnswer = error instanceof ApiError && error.code !== "unreachable";
  return {
    updatedAt: generatedAt ?? received,
    isLost: error !== null && !isAnswer,
    refusal: isAnswer ? error.message : null,
  };
}

/** How far the server's clock is ahead of ours, so that a wrong clock here does not falsify “4 s ago”. */
export function clockOffsetMs(generatedAt: Date | null, receivedAtMs: number): number {
  return generatedAt === null ? 0 : generatedAt.getTime() - receivedAtMs;
}
