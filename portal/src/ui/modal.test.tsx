import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { asOperator } from "../testing/open_portal";

describe("a dialog", () => {
  it("begins in its first field, and keeps what was typed from Escape", async () => {
    asOperator("/customers", {});
    const open = async () =>
      userEvent.click(await screen.findByRole("button", { name: "Create a customer" }));
    await open();
    await waitFor(() => {
      expect(document.activeElement).toBe(screen.getByLabelText("Name"));
    });
    await userEvent.keyboard("{Escape}");
    await waitFor(() => {
      expect(screen.queryByLabelText("Name")).toBeNull();
    });
    await open();
    await userEvent.type(await screen.findByLabelText("Name"), "XYZ");
    await userEvent.keyboard("{Escape}");
    expect(await screen.findByText(/^What you typed is still here/)).toBeTruthy();
    expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("XYZ");
    // Nothing is left to lose.
    await userEvent.clear(screen.getByLabelText("Name"));
    await userEvent.keyboard("{Escape}");
    await waitFor(() => {
      expect(screen.queryByLabelText("Name")).toBeNull();
    });
    await open();
    await userEvent.type(await screen.findByLabelText("Name"), "XYZ");
    await userEvent.keyboard("{Escape}");
    await userEvent.click(screen.getByRole("button", { name: "Cancel" }));
    expect(screen.queryByLabelText("Name")).toBeNull();
  });
});
