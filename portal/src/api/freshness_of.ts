import type { UseQueryResult } from "@tanstack/react-query";
import { ApiError } from "./client";

/** What a page shows of its main query: when the data is from, and whether the server still answers. */
export interface Freshness {
  updatedAt: Date | null;
  isLost: boolean;
  /** What the server says when it answers, but cannot show this. */
  refusal: string | null;
  /** True where what is shown is not all: the page says what is missing. */
  isPartial?: boolean;
}

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
