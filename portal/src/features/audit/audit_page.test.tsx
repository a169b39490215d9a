import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { asOperator } from "../../testing/open_portal";

describe("the audit log", () => {
  const entry = (sequence: number): Schemas["AuditEntry"] => ({
    sequence,
    time: "2026-11-25T03:00:00Z",
    actor: "user:admin",
    action: "node.retire",
    customer_id: "cliente-a",
    object: `web-${sequence}`,
    detail: "",
    address: "192.0.2.1:4711",
    hash: "0".repeat(64),
  });

  it("shows older pages when asked, and says whether it is intact", async () => {
    asOperator("/audit", {
      "GET /audit": (request) =>
        new URL(request.url).searchParams.has("before")
          ? { body: { entries: [entry(1)], next_before: null } }
          : { body: { entries: [entry(3), entry(2)], next_before: 2 } },
      "GET /audit/verification": { body: { is_intact: true, entries: 3, broken_at: null } },
    });
    expect(await screen.findAllByTestId("audit-entry")).toHaveLength(2);
    expect(screen.getAllByText(/retired the node/)).toHaveLength(2);
    await userEvent.click(screen.getByText("Show older ones"));
    expect(await screen.findByText("web-1")).toBeTruthy();
    expect(screen.queryByText("Show older ones")).toBeNull();
    await userEvent.click(screen.getByText("Verify integrity"));
    expect(await screen.findByText("Intact: all 3 entries fit together.")).toBeTruthy();
  });
});
