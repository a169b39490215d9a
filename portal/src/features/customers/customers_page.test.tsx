import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import type { Schemas } from "../../api/client";
import { asOperator } from "../../testing/open_portal";

const created = { created_at: "2026-11-20T00:00:00Z" };

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
    asOperator("/customers", { "GET /customers": { body: { customers } } });
    const rows = await screen.findAllByTestId("customer-row");
    expect(rows.map((row) => row.dataset["customer"])).toEqual(["cliente-a", "a-old"]);
    expect(rows.map((row) => within(row).queryAllByText("disabled").length)).toEqual([0, 1]);
  });

  it("is renamed and written to in another language from then on", async () => {
    const made = asOperator("/customers", {
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
