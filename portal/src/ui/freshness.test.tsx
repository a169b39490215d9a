import { render, screen } from "@testing-library/react";
import { describe, expect, it } from "vitest";
import { LanguageProvider } from "../i18n/language";
import { ConnectionBanner } from "./freshness";

describe("what is shown without a connection", () => {
  it("has the day where it is not of today", () => {
    localStorage.setItem("vigia.language", "en");
    const show = (updatedAt: Date) =>
      render(
        <LanguageProvider>
          <ConnectionBanner updatedAt={updatedAt} isLost refusal={null} />
        </LanguageProvider>,
      );
    const { unmount } = show(new Date(2025, 10, 24, 9, 45, 0));
    expect(screen.getByText(/^What you see is from .*2025, 09:45:00\./)).toBeTruthy();
    unmount();
    const today = new Date();
    today.setHours(9, 45, 0);
    show(today);
    expect(screen.getByText(/^What you see is from 09:45:00\./)).toBeTruthy();
  });
});
