import { screen, waitFor, within } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { asOperator } from "../../testing/open_portal";
import { customerRow } from "../../testing/recorded";

describe("a customer", () => {
  it("that is disabled is marked and stands last", async () => {
    const customers = [
      customerRow("a-old", "Antigua", { is_enabled: false }),
      customerRow("cliente-a", "Empresa XYZ"),
    ];
    asOperator("/customers", { "GET /customers": { body: { customers } } });
    const rows = await screen.findAllByTestId("customer-row");
    expect(rows.map((row) => row.dataset["customer"])).toEqual(["cliente-a", "a-old"]);
    expect(rows.map((row) => within(row).queryAllByText("disabled").length)).toEqual([0, 1]);
  });

  it("that is new is asked for in one round: all that is missing or wrong stands there at once", async () => {
    const made = asOperator("/customers", { "POST /customers": { body: {} } });
    await userEvent.click(await screen.findByRole("button", { name: "Create a customer" }));
    await userEvent.type(screen.getByLabelText("Id"), "No Good");
    const create = screen.getAllByRole("button", { name: "Create a customer" }).at(-1);
    if (create !== undefined) await userEvent.click(create);
    expect(await screen.findByText("Fill this in.")).toBeTruthy();
    expect(screen.getByText(/^Use 1 to 63 lower-case letters/)).toBeTruthy();
    expect(made("POST")).toHaveLength(0);
    await userEvent.type(screen.getByLabelText("Name"), " Nueva ");
    await userEvent.clear(screen.getByLabelText("Id"));
    await userEvent.type(screen.getByLabelText("Id"), "nueva{Enter}");
    await waitFor(() => {
      expect(made("POST")).toHaveLength(1);
    });
    expect(await made("POST")[0]?.json()).toEqual({
      name: "Nueva",
      id: "nueva",
      language: "en",
      reference: "",
    });
  });

  it("is renamed and written to in another language from then on", async () => {
    const made = asOperator("/customers", {
      "PATCH /customers/cliente-a": { body: {} },
    });
    await userEvent.click(await screen.findByRole("button", { name: "Edit customer Empresa XYZ" }));
    await userEvent.clear(screen.getByLabelText("Name"));
    await userEvent.type(screen.getByLabelText("Name"), "XYZ Ltd ");
    await userEvent.selectOptions(screen.getByLabelText(/^Language of its e-mails/), "en");
    await userEvent.type(screen.getByLabelText("Reference"), "K-17");
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => {
      expect(screen.queryByText("Edit customer")).toBeNull();
    });
    expect(await made("PATCH").at(-1)?.json()).toEqual({
      name: "XYZ Ltd",
      language: "en",
      reference: "K-17",
    });
  });
});
