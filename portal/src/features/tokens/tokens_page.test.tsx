import { QueryClientProvider } from "@tanstack/react-query";
import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { beforeEach, describe, expect, it, vi } from "vitest";
import type { Schemas } from "../../api/client";
import { newQueryClient } from "../../api/query_client";
import { LanguageProvider } from "../../i18n/language";
import * as recorded from "../../testing/recorded";
import { TokensPage } from "./tokens_page";

const owner = recorded.customerRow("cliente-a", "Empresa XYZ");

function token(name: string, revoked_at: string | null = null): Schemas["Token"] {
  return {
    id: "0".repeat(32 - name.length) + name,
    name,
    scope: "ingest",
    created_at: "2026-11-20T00:00:00Z",
    expires_at: null,
    revoked_at,
  };
}

let tokens: Schemas["Token"][];

function open() {
  const answers = recorded.record({
    "GET /customers": { body: { customers: [owner] } },
    "GET /customers/cliente-a/tokens": () => ({ body: { tokens } }),
    "POST /customers/cliente-a/tokens": async (request) => {
      const made = { ...token("fresh"), ...((await request.json()) as object) };
      tokens = [made, ...tokens];
      return { status: 201, body: { ...made, token: "vgi_only_once" } };
    },
    [`DELETE /customers/cliente-a/tokens/${token("abc").id}`]: () => {
      tokens = [token("abc", "2026-11-25T00:00:00Z")];
      return { status: 204 };
    },
  });
  vi.spyOn(navigator, "languages", "get").mockReturnValue(["en"]);
  render(
    <QueryClientProvider client={newQueryClient()}>
      <LanguageProvider>
        <TokensPage session={recorded.customerSession} customerId={null} />
      </LanguageProvider>
    </QueryClientProvider>,
  );
  return answers;
}

describe("TokensPage", () => {
  beforeEach(() => {
    tokens = [token("abc")];
  });

  it("shows a new token once, with the command for one more node", async () => {
    const { requests } = open();
    await userEvent.click(await screen.findByText("Create a token"));
    await userEvent.type(screen.getByLabelText("Name"), "web-02{Enter}");
    expect(await screen.findByText("vgi_only_once")).toBeTruthy();
    expect(screen.getByText(/VIGIA_TOKEN=vgi_only_once \\\s+vigia-agent/)).toBeTruthy();
    expect(
      screen.getByText(/OTEL_EXPORTER_OTLP_HEADERS=authorization=Bearer%20vgi_only_once/)
        .textContent,
    ).toContain("OTEL_RESOURCE_ATTRIBUTES=customer.id=cliente-a");
    await userEvent.keyboard("{Escape}");
    expect(screen.getByText("vgi_only_once")).toBeTruthy();
    await userEvent.click(screen.getByText("Done"));
    await waitFor(() => {
      expect(screen.queryByText("vgi_only_once")).toBeNull();
    });
    const posted = requests.find((request) => request.method === "POST");
    expect(posted?.url).toContain("/customers/cliente-a/tokens");
    expect(await screen.findByText("web-02")).toBeTruthy();
  });

  it("revokes only after the question was answered", async () => {
    const { requests } = open();
    const deletes = () => requests.filter((request) => request.method === "DELETE").length;
    await userEvent.click(await screen.findByLabelText(/^Revoke the token abc: ingest, created /));
    await screen.findByText("Revoke this token?");
    await userEvent.click(screen.getByText("Cancel"));
    expect(deletes()).toBe(0);
    await userEvent.click(await screen.findByLabelText(/^Revoke the token abc: ingest, created /));
    await userEvent.click(await screen.findByRole("button", { name: "Revoke" }));
    expect(await screen.findByText("revoked")).toBeTruthy();
    expect(deletes()).toBe(1);
  });

  it("tells two tokens of one name apart", async () => {
    const first = { ...token("demo"), id: "1", created_at: "2026-11-25T03:00:00Z" };
    tokens = [first, { ...first, id: "2", created_at: "2026-11-25T04:00:00Z" }];
    open();
    const buttons = await screen.findAllByLabelText(/^Revoke the token demo/);
    expect(new Set(buttons.map((button) => button.getAttribute("aria-label"))).size).toBe(2);
    const rows = screen.getAllByTestId("token").map((row) => row.textContent);
    expect(new Set(rows).size).toBe(2);
  });

  it("says what to do next where there is none", async () => {
    tokens = [];
    open();
    expect(
      await screen.findByText("Create an ingest token to connect the first node."),
    ).toBeTruthy();
  });
});
