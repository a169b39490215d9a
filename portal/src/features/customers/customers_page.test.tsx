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

  it("has its limits changed: those that were, and no others", async () => {
    const customers = [
      customerRow("cliente-a", "Empresa XYZ", {
        limits: { active_series: 200_000, query_steps: 7 },
      }),
    ];
    const made = asOperator("/customers", {
      "GET /customers": { body: { customers } },
      "PATCH /customers/cliente-a": { body: {} },
    });
    await userEvent.click(await screen.findByRole("button", { name: "Edit customer Empresa XYZ" }));
    const shown = (label: string) => screen.getByLabelText<HTMLInputElement>(label);
    expect(shown("Active series").value).toBe("200000");
    expect(shown("Steps of a query").value).toBe("7");
    await userEvent.click(screen.getByText("Limits of one query"));
    await userEvent.clear(shown("Steps of a query"));
    await userEvent.type(shown("Steps of a query"), "500");
    await userEvent.clear(shown("Samples that a query holds"));
    await userEvent.type(shown("Samples that a query holds"), "1000000");
    // What the digits mean is written below them, and read with the field.
    expect(screen.getByText("1,000,000").id).toBe(
      shown("Samples that a query holds").getAttribute("aria-describedby"),
    );
    await userEvent.clear(shown("Time that a query touches, in seconds"));
    await userEvent.type(shown("Time that a query touches, in seconds"), "2592000");
    expect(screen.getByText("30 days")).toBeDefined();
    await userEvent.click(screen.getByRole("button", { name: "Save" }));
    await waitFor(() => {
      expect(screen.queryByText("Edit customer")).toBeNull();
    });
    const { limits } = (await made("PATCH").at(-1)?.json()) as { limits: unknown };
    expect(limits).toEqual({
      query_range_seconds: 2_592_000,
      query_steps: 500,
      query_samples: 1_000_000,
    });
  });
});
