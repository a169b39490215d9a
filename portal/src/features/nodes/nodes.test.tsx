import { screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { asCustomer, asOperator } from "../../testing/open_portal";
import * as recorded from "../../testing/recorded";

const newToken = { status: 201, body: { id: "t", scope: "ingest", token: "vgi_only_once" } };

describe("adding a node", () => {
  it("registers it, makes its token and shows the lines to paste", async () => {
    const made = asOperator("/", {
      "POST /customers/cliente-a/nodes": { status: 201, body: {} },
      "POST /customers/cliente-a/tokens": newToken,
    });
    await userEvent.click(await screen.findByRole("button", { name: "Add a node" }));
    await userEvent.type(await screen.findByLabelText("Node"), "web-02");
    await userEvent.type(screen.getByLabelText("Region"), "eu");
    await userEvent.click(screen.getByLabelText(/^Scrape/));
    await userEvent.type(screen.getByLabelText("Address of its /health"), "10.0.0.7:8081{Enter}");
    const lines = await screen.findByRole("region", { name: "Lines for the node" });
    expect(lines.textContent).toContain('node: {id: web-02, region: "eu"}');
    expect(lines.textContent).toContain('health: {listen: "0.0.0.0:8081"}');
    expect(lines.textContent).toContain("VIGIA_TOKEN=vgi_only_once");
    const sent = await Promise.all(made("POST").map((request) => request.json()));
    expect(sent).toEqual([
      { id: "web-02", region: "eu", environment: "production", address: "10.0.0.7:8081" },
      { name: "web-02", scope: "ingest" },
    ]);
  });

  it("does not register twice where only the token failed", async () => {
    let isBusy = true;
    const made = asOperator("/", {
      "POST /customers/cliente-a/nodes": { status: 201, body: {} },
      "POST /customers/cliente-a/tokens": () =>
        isBusy ? { status: 409, body: { error: "over_limit", message: "busy" } } : newToken,
    });
    await userEvent.click(await screen.findByRole("button", { name: "Add a node" }));
    await userEvent.type(await screen.findByLabelText("Node"), "web-02{Enter}");
    await screen.findByText("The server says: busy");
    isBusy = false;
    await userEvent.click(screen.getByText("Continue"));
    await screen.findByRole("region", { name: "Lines for the node" });
    const paths = made("POST").map((request) => new URL(request.url).pathname.split("/").at(-1));
    expect(paths).toEqual(["nodes", "tokens", "tokens"]);
  });

  it("says what to do about a name that is taken and an address that is refused", async () => {
    const refusals = [
      { error: "conflict", message: "id: this customer has a node with this id" },
      { error: "invalid", message: "address: loopback addresses are not allowed" },
    ];
    asOperator("/", {
      "POST /customers/cliente-a/nodes": () => ({ status: 400, body: refusals.shift() }),
    });
    await userEvent.click(await screen.findByRole("button", { name: "Add a node" }));
    await userEvent.type(await screen.findByLabelText("Node"), "-web{Enter}");
    expect(await screen.findByText(/^Use letters, digits/)).toBeTruthy();
    await userEvent.clear(screen.getByLabelText("Node"));
    await userEvent.type(screen.getByLabelText("Node"), "web-01{Enter}");
    expect(await screen.findByText(/already has a node with this name/)).toBeTruthy();
    await userEvent.click(screen.getByLabelText(/^Scrape/));
    await userEvent.type(screen.getByLabelText("Address of its /health"), "127.0.0.1:1{Enter}");
    expect(await screen.findByText(/\(loopback addresses are not allowed\)/)).toBeTruthy();
  });

  it("is asked whose it is where there are several customers", async () => {
    const made = asOperator("/", {
      "GET /overview": {
        body: recorded.overview([
          recorded.customer("cliente-b", "Comercial del Sur", [recorded.node("b")]),
          recorded.customer("cliente-a", "Empresa XYZ", [recorded.node("a")]),
        ]),
      },
      "POST /customers/cliente-a/nodes": { status: 201, body: {} },
      "POST /customers/cliente-a/tokens": newToken,
    });
    await userEvent.click(await screen.findByRole("button", { name: "Add a node" }));
    await userEvent.type(await screen.findByLabelText("Node"), "web-02{Enter}");
    const customer = screen.getByLabelText("Customer");
    expect(customer.getAttribute("aria-invalid")).toBe("true");
    expect(document.activeElement).toBe(customer);
    expect(made("POST")).toHaveLength(0);
    await userEvent.selectOptions(customer, "cliente-a");
    await userEvent.click(screen.getByText("Continue"));
    await screen.findByRole("region", { name: "Lines for the node" });
  });

  it("only makes a token for a customer's user: the node registers itself", async () => {
    const made = asCustomer("/", { "POST /customers/cliente-a/tokens": newToken });
    await userEvent.click(await screen.findByRole("button", { name: "Add a node" }));
    expect(screen.queryByLabelText(/^Scrape/)).toBeNull();
    await userEvent.type(await screen.findByLabelText("Node"), "web-02{Enter}");
    await screen.findByRole("region", { name: "Lines for the node" });
    expect(made("POST")).toHaveLength(1);
  });
});

describe("a node", () => {
  it("is retired only after the question was answered", async () => {
    const made = asOperator("/nodes/cliente-a/web-01", {
      "DELETE /customers/cliente-a/nodes/web-01": { status: 204 },
    });
    await userEvent.click(await screen.findByLabelText("Retire the node web-01"));
    await userEvent.click(await screen.findByText("Cancel"));
    expect(made("DELETE")).toHaveLength(0);
    await userEvent.click(await screen.findByLabelText("Retire the node web-01"));
    await userEvent.click(await screen.findByRole("button", { name: "Retire" }));
    await screen.findByRole("heading", { name: "Nodes" });
    expect(made("DELETE")).toHaveLength(1);
  });

  it("is not changed by a customer's user", async () => {
    asCustomer("/nodes/cliente-a/web-01", {});
    await screen.findByRole("heading", { name: /web-01/ });
    expect(screen.queryByText("Change")).toBeNull();
    expect(screen.queryByText("Retire")).toBeNull();
  });
});
