import { render, screen } from "@testing-library/react";
import userEvent from "@testing-library/user-event";
import { describe, expect, it } from "vitest";
import { LanguageProvider } from "../../i18n/language";
import type { CurveData } from "../../ui/curve_data";
import { CurveTable } from "./curve_table";

describe("CurveTable", () => {
  it("has every point of the curve, newest first, and says why one is missing", async () => {
    localStorage.setItem("vigia.language", "en");
    const start = new Date(2026, 10, 25, 1, 0, 0).getTime() / 1000;
    const data: CurveData = {
      times: [start, start + 600, start + 1200, start + 1800],
      average: [5, null, 6, null],
      minimum: [4, null, 6, null],
      maximum: [100, null, 7, null],
      downShare: [0, 1, 0, 0],
      outageShare: [0, 0, 0, 1],
      stepSeconds: 600,
    };
    render(
      <LanguageProvider>
        <CurveTable data={data} name="CPU" />
      </LanguageProvider>,
    );
    expect(screen.queryByRole("table")).toBeNull();
    await userEvent.click(screen.getByText("Values as a table"));
    const rows = (await screen.findAllByRole("row")).map((row) => row.textContent);
    expect(rows[1]).toMatch(/01:20–01:30.*Vigía was away.*–.*–$/);
    expect(rows[2]).toMatch(/01:10–01:20.*6\.0%.*6\.0%.*7\.0%$/);
    expect(rows[3]).toMatch(/01:00–01:10.*Down.*–.*–$/);
    expect(rows[4]).toMatch(/5\.0%.*4\.0%.*100\.0%$/);
  });
});
