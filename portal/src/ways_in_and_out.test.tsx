import { cleanup, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it, vi } from "vitest";
import { forwardOldLinks } from "./shell/old_links";
import { asOperator } from "./testing/open_portal";
import * as recorded from "./testing/recorded";

const nobody = { status: 401, body: { error: "unauthenticated", message: "log in" } };

describe("log-in", () => {
  it("asks who is there, then shows the overview", async () => {
    asOperator("/", {
      "GET /session": nobody,
      "POST /session": { body: recorded.operatorSession },
    });
    await userEvent.type(await screen.findByLabelText("User"), "admin");
    await userEvent.type(screen.getByLabelText("Password"), "secret{Enter}");
    expect(await screen.findByText("Empresa XYZ")).toBeTruthy();
  });

  it("says that the password is wrong without saying which part", async () => {
    asOperator("/", { "GET /session": nobody, "POST /session": nobody });
    await userEvent.type(await screen.findByLabelText("User"), "admin");
    await userEvent.type(screen.getByLabelText("Password"), "wrong{Enter}");
    expect((await screen.findByText("Wrong user or password.")).role).toBe("alert");
  });

  it("comes back when the session has ended", async () => {
    asOperator("/", { "GET /overview": nobody });
    expect(await screen.findByLabelText("Password")).toBeTruthy();
    expect(screen.getByTestId("session-ended").textContent).toBe(
      "Your session has ended. Please log in again.",
    );
  });

  it("says nothing of an ended session to who logs out, or was never logged in", async () => {
    asOperator("/", { "DELETE /session": { status: 204 } });
    await userEvent.click(await screen.findByRole("button", { name: /admin/ }));
    await userEvent.click(await screen.findByText("Log out"));
    expect(await screen.findByLabelText("Password")).toBeTruthy();
    expect(screen.queryByTestId("session-ended")).toBeNull();
  });
});

describe("an address", () => {
  it("leads to its page after the log-in", async () => {
    asOperator("/tokens/cliente-a", {
      "GET /session": nobody,
      "POST /session": { body: recorded.operatorSession },
      "GET /customers/cliente-a/tokens": { body: { tokens: [] } },
    });
    await userEvent.type(await screen.findByLabelText("User"), "admin");
    await userEvent.type(screen.getByLabelText("Password"), "secret{Enter}");
    expect(await screen.findByText("No token yet")).toBeTruthy();
    expect(location.pathname).toBe("/tokens/cliente-a");
  });

  it("of before, with a #, leads to where its page is now, then and when it is entered later", async () => {
    history.replaceState(null, "", "/#/alerts?receiver=provider");
    forwardOldLinks();
    asOperator(location.pathname, {});
    expect(await screen.findByRole("heading", { name: "Alerts" })).toBeTruthy();
    location.hash = "#/nodes/cliente-a/web-02";
    expect(await screen.findByRole("heading", { name: /web-02/ })).toBeTruthy();
    expect(location.pathname + location.hash).toBe("/nodes/cliente-a/web-02");
  });
});

describe("an address that cannot be read, and a fault of the page's own", () => {
  it("leave a page that says so, with a way out", async () => {
    asOperator("/nodes/cliente-a/%E0%A4%A", {});
    expect(await screen.findByText("There is no such page")).toBeTruthy();
    expect(screen.getByRole("link", { name: "Go to nodes" })).toBeTruthy();
    cleanup();
    const noted = vi.spyOn(console, "error").mockReturnValue(undefined);
    asOperator("/customers", { "GET /customers": { body: { customers: [null] } } });
    expect(await screen.findByText("This page has failed")).toBeTruthy();
    expect(screen.getByRole("button", { name: "Reload" })).toBeTruthy();
    expect(noted).toHaveBeenCalled();
    await userEvent.click(screen.getByRole("link", { name: "Go to nodes" }));
    expect(await screen.findByText("Empresa XYZ")).toBeTruthy();
    noted.mockRestore();
  });
});
