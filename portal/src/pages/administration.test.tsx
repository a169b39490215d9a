import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Schemas } from "../api/client";
import { asCustomer, asOperator } from "../testing/open_portal";

const created = { created_at: "2026-11-20T00:00:00Z" };

describe("notifications", () => {
  const channel: Schemas["Channel"] = {
    id: "c".repeat(32),
    type: "slack",
    target: "https://hooks.slack.com",
    channel: "#alerts",
    status: "active",
    reason: null,
    last_delivered_at: null,
    last_failure: null,
    ...created,
  };

  it("say which channel is not active, and why", async () => {
    const refused: Schemas["Channel"] = {
      ...channel,
      status: "not_active",
      reason: "target: after % two hexadecimal digits are needed",
    };
    asCustomer("#/channels", {
      "GET /customers/cliente-a/channels": { body: { channels: [refused] } },
    });
    expect(await screen.findByText(/not active/)).toBeTruthy();
    expect(screen.getByText(/two hexadecimal digits/)).toBeTruthy();
  });

  it("say why in the reader's language, and of e-mail no more than is known", async () => {
    localStorage.setItem("vigia.language", "es");
    const mail: Schemas["Channel"] = {
      ...channel,
      type: "email",
      target: "alertas@example.com",
      status: "not_active",
      reason: "target: private addresses are not allowed",
    };
    asCustomer("#/channels", {
      "GET /customers/cliente-a/channels": { body: { channels: [mail] } },
    });
    expect(await screen.findByText("no se admiten direcciones privadas")).toBeTruthy();
    expect(screen.getByTestId("channel-delivered").textContent).toBe(
      "no se sabe de ninguna entrega",
    );
  });

  it("say when a message last arrived, and when and why one last did not", async () => {
    const told = (id: string, delivered: string | null, at: string | null) => ({
      ...channel,
      id,
      last_delivered_at: delivered,
      last_failure: at === null ? null : { at, reason: "its host answers 503" },
    });
    const [early, late] = ["2026-11-25T03:00:00Z", "2026-11-25T04:00:00Z"];
    asCustomer("#/channels", {
      "GET /customers/cliente-a/channels": {
        body: {
          channels: [told("1", null, null), told("2", early, late), told("3", late, early)],
        },
      },
    });
    const delivered = await screen.findAllByTestId("channel-delivered");
    expect(delivered[0]?.textContent).toBe("nothing delivered yet");
    expect(delivered[1]?.textContent).toMatch(/^last delivered .*25 Nov/);
    const failures = screen.getAllByTestId("channel-failure");
    expect(failures.map((one) => one.dataset["failing"])).toEqual(["true", "false"]);
    expect(failures[0]?.textContent).toMatch(/^⚠ Not delivered .*: its host answers 503$/);
    expect(failures[1]?.textContent).toMatch(/^Last failure .*: its host answers 503$/);
  });

  it("are added with what the kind of channel needs, and say what is missing", async () => {
    let isRefused = true;
    const made = asOperator("#/channels", {
      "GET /customers/cliente-a/channels": { body: { channels: [] } },
      "POST /customers/cliente-a/channels": () =>
        isRefused
          ? { status: 409, body: { error: "conflict", message: "no mail server is configured" } }
          : { status: 201, body: channel },
    });
    expect(await screen.findByText("No channel yet")).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Add a channel" }));
    await userEvent.type(await screen.findByLabelText("Address"), "a@example.com{Enter}");
    expect(await screen.findByText(/sets alerting.mail/)).toBeTruthy();
    isRefused = false;
    await userEvent.click(screen.getByLabelText(/^Slack/));
    await userEvent.clear(screen.getByLabelText("Webhook URL"));
    await userEvent.type(screen.getByLabelText("Webhook URL"), "https://hooks.slack.com/x");
    await userEvent.type(screen.getByLabelText("Channel in Slack"), "#alerts{Enter}");
    await waitFor(() => {
      expect(screen.queryByText("New channel")).toBeNull();
    });
    expect(await made("POST").at(-1)?.json()).toEqual({
      type: "slack",
      target: "https://hooks.slack.com/x",
      channel: "#alerts",
    });
  });

  it("can only be read by a customer's user", async () => {
    asCustomer("#/channels", {
      "GET /customers/cliente-a/channels": { body: { channels: [channel] } },
    });
    expect(await screen.findByText("https://hooks.slack.com")).toBeTruthy();
    expect(screen.queryByText("Add a channel")).toBeNull();
    expect(screen.queryByText("Remove")).toBeNull();
  });
});

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
    asOperator("#/audit", {
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
    asOperator("#/sessions", {
      "GET /sessions": () => ({ body: { sessions } }),
      [`DELETE /sessions/${"2".repeat(32)}`]: () => {
        sessions = sessions.slice(0, 1);
        return { status: 204 };
      },
    });
    expect(await screen.findAllByText("Firefox on Linux")).toHaveLength(2);
    expect(screen.queryByLabelText(/^End the session from 192.0.2.1,/)).toBeNull();
    await userEvent.click(screen.getByLabelText(/^End the session from 192.0.2.2, logged in on /));
    await waitFor(() => {
      expect(screen.getAllByTestId("session")).toHaveLength(1);
    });
  });
});

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
    const made = asOperator("#/team", {
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
    await userEvent.click(disable);
    expect(await screen.findByText(/the last operator who can log in/)).toBeTruthy();
    expect(await made("PATCH")[0]?.json()).toEqual({ is_enabled: false });
  });

  it("adds an operator, and says what is wrong with a password", async () => {
    asOperator("#/team", {
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
    const made = asOperator("#/team", {
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
    asCustomer("#/team", {});
    expect(await screen.findByText("There is no such page")).toBeTruthy();
    expect(screen.queryByRole("link", { name: "Team" })).toBeNull();
  });
});

describe("a customer", () => {
  it("that is disabled is marked and stands last", async () => {
    const of = (id: string, name: string, is_enabled: boolean): Schemas["Customer"] => ({
      id,
      name,
      is_enabled,
      hot_shard: "hot-0",
      language: "es",
      limits: {},
      ...created,
    });
    const customers = [of("a-old", "Antigua", false), of("cliente-a", "Empresa XYZ", true)];
    asOperator("#/customers", { "GET /customers": { body: { customers } } });
    const rows = await screen.findAllByTestId("customer-row");
    expect(rows.map((row) => row.dataset["customer"])).toEqual(["cliente-a", "a-old"]);
    expect(rows.map((row) => within(row).queryAllByText("disabled").length)).toEqual([0, 1]);
  });

  it("is renamed and written to in another language from then on", async () => {
    const made = asOperator("#/customers", {
      "PATCH /customers/cliente-a": { body: {} },
    });
    await userEvent.click(await screen.findByRole("button", { name: "Edit customer Empresa XYZ" }));
    await userEvent.clear(screen.getByLabelText("Name"));
    await userEvent.type(screen.getByLabelText("Name"), "XYZ Ltd ");
    await userEvent.selectOptions(screen.getByLabelText(/^Language of its e-mails/), "en");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => {
      expect(screen.queryByText("Edit customer")).toBeNull();
    });
    expect(await made("PATCH").at(-1)?.json()).toEqual({ name: "XYZ Ltd", language: "en" });
  });
});
