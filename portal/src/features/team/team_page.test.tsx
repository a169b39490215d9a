import { screen, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { asCustomer, asOperator } from "../../testing/open_portal";

const created = { created_at: "2026-11-20T00:00:00Z" };

describe("the team", () => {
  const user = (name: string): Schemas["User"] => ({
    id: name,
    name,
    role: "operator",
    is_enabled: true,
    last_login_at: null,
    ...created,
  });

  it("disables a colleague, never oneself, and says why the last one stays", async () => {
    const made = asOperator("/team", {
      "GET /operators": { body: { users: [user("admin"), user("eva")] } },
      "GET /operator-tokens": { body: { tokens: [] } },
      "PATCH /operators/eva": {
        status: 400,
        body: { error: "invalid", message: "is_enabled: this is the last operator" },
      },
    });
    const disable = await screen.findByLabelText("Disable eva");
    expect(screen.queryByLabelText("Disable admin")).toBeNull();
    expect(screen.getByText("No operator token")).toBeTruthy();
    expect(screen.getByTestId("zone")).toBeTruthy();
    await userEvent.click(disable);
    expect(await screen.findByText(/the last operator who can log in/)).toBeTruthy();
    expect(await made("PATCH")[0]?.json()).toEqual({ is_enabled: false });
  });

  it("adds an operator, and says what is wrong with a password", async () => {
    asOperator("/team", {
      "GET /operators": { body: { users: [user("admin")] } },
      "GET /operator-tokens": { body: { tokens: [] } },
      "POST /operators": {
        status: 400,
        body: { error: "invalid", message: "password: widely known, or digits only" },
      },
    });
    await userEvent.click(await screen.findByRole("button", { name: "Add an operator" }));
    const dialog = within(await screen.findByRole("dialog"));
    await userEvent.type(dialog.getByLabelText("User"), "eva");
    await userEvent.type(dialog.getByLabelText("Password"), "password1234{Enter}");
    expect(await dialog.findByText(/^Take another password/)).toBeTruthy();
  });

  it("makes a token that is shown once", async () => {
    const made = asOperator("/team", {
      "GET /operators": { body: { users: [user("admin")] } },
      "GET /operator-tokens": { body: { tokens: [] } },
      "POST /operator-tokens": {
        status: 201,
        body: { id: "t", name: "script", scope: "manage", token: "vgo_only_once" },
      },
    });
    await userEvent.click(await screen.findByRole("button", { name: "Create a token" }));
    await userEvent.click(await screen.findByLabelText(/^manage/));
    await userEvent.type(screen.getByLabelText("Name"), "script{Enter}");
    expect(await screen.findByText("vgo_only_once")).toBeTruthy();
    expect(await made("POST")[0]?.json()).toEqual({ name: "script", scope: "manage" });
  });

  it("is nothing for a customer's user", async () => {
    asCustomer("/team", {});
    expect(await screen.findByText("There is no such page")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Team" })).toBeNull();
  });
});
