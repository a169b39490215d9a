import { render, screen, waitFor } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { useState, type ComponentProps } from "react";
import { beforeEach, describe, expect, it, vi } from "vitest";
import { LanguageProvider } from "../i18n/language";
import { FormModal } from "./form_modal";
import { TextField } from "./text_field";

type Props = Omit<ComponentProps<typeof FormModal>, "children">;

const usual: Props = {
  title: "New thing",
  submit: "Create",
  busy: "Creating…",
  isPending: false,
  error: undefined,
  onSubmit: () => undefined,
  onClose: () => undefined,
};

function Dialog(change: Partial<Props>) {
  const [name, setName] = useState("");
  return (
    <FormModal {...usual} {...change}>
      <TextField
        label="Name"
        required
        value={name}
        onChange={(event) => {
          setName(event.target.value);
        }}
      />
    </FormModal>
  );
}

const shown = (change: Partial<Props>) => (
  <LanguageProvider>
    <Dialog {...change} />
  </LanguageProvider>
);

describe("a form in a dialog", () => {
  beforeEach(() => {
    localStorage.setItem("vigia.language", "en");
  });

  it("begins in its first field, and is sent by Enter once that holds what it must", async () => {
    const onSubmit = vi.fn();
    render(shown({ onSubmit, lead: "Of Empresa XYZ" }));
    const dialog = await screen.findByRole("dialog", { name: "New thing" });
    expect(dialog.textContent).toContain("Of Empresa XYZ");
    await waitFor(() => {
      expect(document.activeElement).toBe(screen.getByLabelText("Name"));
    });
    await userEvent.keyboard("{Enter}");
    expect(onSubmit).not.toHaveBeenCalled();
    expect(await screen.findByText("Fill this in.")).toBeTruthy();
    await userEvent.keyboard("x{Enter}");
    expect(onSubmit).toHaveBeenCalledTimes(1);
  });

  it("is not sent again while it is under way, and says so", async () => {
    const onSubmit = vi.fn();
    render(shown({ onSubmit, isPending: true }));
    await userEvent.type(await screen.findByLabelText("Name"), "x{Enter}");
    const button = screen.getByRole<HTMLButtonElement>("button", { name: "Creating…" });
    expect(button.disabled).toBe(true);
    // Whatever makes a browser send it all the same.
    button.form?.requestSubmit();
    expect(onSubmit).not.toHaveBeenCalled();
    expect(button.form?.getAttribute("aria-busy")).toBe("true");
  });

  it("says what went wrong where a screen reader hears it, and keeps what was typed", async () => {
    const { rerender } = render(shown({}));
    await userEvent.type(await screen.findByLabelText("Name"), "x");
    rerender(shown({ error: "The name is taken." }));
    expect((await screen.findByText("The name is taken.")).role).toBe("alert");
    expect(screen.getByLabelText<HTMLInputElement>("Name").value).toBe("x");
  });

  it("is left by its own button, whatever was typed, and by Escape only while nothing was", async () => {
    const onClose = vi.fn();
    render(shown({ onClose, leave: "Not now" }));
    await userEvent.keyboard("{Escape}");
    expect(onClose).toHaveBeenCalledTimes(1);
    await userEvent.type(await screen.findByLabelText("Name"), "x");
    await userEvent.keyboard("{Escape}");
    expect(onClose).toHaveBeenCalledTimes(1);
    expect(await screen.findByText(/^What you typed is still here/)).toBeTruthy();
    await userEvent.click(screen.getByRole("button", { name: "Not now" }));
    expect(onClose).toHaveBeenCalledTimes(2);
  });
});
