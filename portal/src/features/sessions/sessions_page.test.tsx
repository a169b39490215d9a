import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { asOperator } from "../../testing/open_portal";

const created = { created_at: "2026-11-20T00:00:00Z" };

describe("the own sessions", () => {
  it("can be ended, but not the one that is in use", async () => {
    const session = (id: string, is_current: boolean): Schemas["SessionSummary"] => ({
      id: id.repeat(32),
      last_used_at: "2026-11-25T03:00:00Z",
      address: `192.0.2.${id}:4711`,
      user_agent: "Mozilla/5.0 (X11; Linux x86_64; rv:140.0) Gecko/20100101 Firefox/140.0",
      is_current,
      ...created,
    });
    let sessions = [session("1", true), session("2", false)];
    asOperator("/sessions", {
      "GET /sessions": () => ({ body: { sessions } }),
      [`DELETE /sessions/${"2".repeat(32)}`]: () => {
        sessions = sessions.slice(0, 1);
        return { status: 204 };
      },
    });
    expect(await screen.findAllByText("Firefox on Linux")).toHaveLength(2);
    expect(screen.getByTestId("zone")).toBeTruthy();
    expect(screen.queryByLabelText(/^End the session from 192.0.2.1,/)).toBeNull();
    await userEvent.click(screen.getByLabelText(/^End the session from 192.0.2.2, logged in on /));
    await waitFor(() => {
      expect(screen.getAllByTestId("session")).toHaveLength(1);
    });
  });
});
