import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { asCustomer, asOperator } from "../../testing/open_portal";

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
    asCustomer("/channels", {
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
    asCustomer("/channels", {
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
    asCustomer("/channels", {
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
    const made = asOperator("/channels", {
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
    asCustomer("/channels", {
      "GET /customers/cliente-a/channels": { body: { channels: [channel] } },
    });
    expect(await screen.findByText("https://hooks.slack.com")).toBeTruthy();
    expect(screen.queryByText("Add a channel")).toBeNull();
    expect(screen.queryByText("Remove")).toBeNull();
  });
});
