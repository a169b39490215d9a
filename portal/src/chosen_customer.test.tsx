import { screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Schemas } from "./api/client";
import { asOperator } from "./testing/open_portal";
import { customerRow } from "./testing/recorded";

const customers: Schemas["Customer"][] = [
  customerRow("a", "Alfa"),
  customerRow("b", "Beta"),
  customerRow("c", "Gama"),
];
const answers = {
  "GET /customers": { body: { customers } },
  "GET /customers/a/tokens": { body: { tokens: [] } },
  "GET /customers/b/tokens": { body: { tokens: [] } },
  "GET /customers/c/tokens": { body: { tokens: [] } },
  "GET /customers/b/channels": { body: { channels: [] } },
  "GET /customers/c/channels": { body: { channels: [] } },
};
const chosen = () => screen.findByLabelText<HTMLSelectElement>("Customer");

describe("pages about one customer's things", () => {
  it("begin with the first, and then with the one that was chosen on another of them", async () => {
    asOperator("/tokens", answers);
    expect((await chosen()).value).toBe("a");
    await userEvent.selectOptions(await chosen(), "b");
    await userEvent.click(screen.getByRole("link", { name: "Notifications" }));
    await waitFor(async () => {
      expect(location.pathname).toBe("/channels");
      expect((await chosen()).value).toBe("b");
    });
    await userEvent.selectOptions(await chosen(), "c");
    await userEvent.click(screen.getByRole("link", { name: "Tokens" }));
    await waitFor(async () => {
      expect(location.pathname).toBe("/tokens");
      expect((await chosen()).value).toBe("c");
    });
  });
});
