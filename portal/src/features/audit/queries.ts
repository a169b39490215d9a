import { useInfiniteQuery, useMutation } from "@tanstack/react-query";
import { api, unwrap, type Schemas } from "../../api/client";

export type AuditEntry = Schemas["AuditEntry"];

const pageEntries = 50;

/** Newest first, a page at a time; "" for everybody's. */
export function useAudit(customerId: string) {
  return useInfiniteQuery({
    queryKey: ["audit", customerId],
    initialPageParam: null as number | null,
    queryFn: ({ pageParam, signal }) =>
      unwrap(
        api.GET("/audit", {
          params: {
            query: {
              limit: pageEntries,
              ...(pageParam !== null && { before: pageParam }),
              ...(customerId !== "" && { customer_id: customerId }),
            },
          },
          signal,
        }),
      ),
    getNextPageParam: (page) => page.next_before,
  });
}

export function useVerifyAudit() {
  return useMutation({ mutationFn: () => unwrap(api.GET("/audit/verification")) });
}
