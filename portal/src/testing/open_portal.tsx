import { QueryClientProvider } from "@tanstack/react-query";
import { render } from "@testing-library/react";
import { vi } from "vitest";
import type { Schemas } from "../api/client";
import { newQueryClient } from "../api/query_client";
import { App } from "../app";
import { LanguageProvider } from "../i18n/language";
import * as recorded from "./recorded";

const owner = recorded.customerRow("cliente-a", "Empresa XYZ");
const oneCustomer = recorded.overview([
  recorded.customer("cliente-a", "Empresa XYZ", [recorded.node("web-01")]),
]);
/** The portal at the address `place`, with the given answers beside those that every page asks for. */
function open(
  place: string,
  session: Schemas["Session"],
  more: Parameters<typeof recorded.record>[0],
) {
  history.replaceState(null, "", place);
  vi.spyOn(navigator, "languages", "get").mockReturnValue(["en-GB"]);
  const { requests } = recorded.record({
    "GET /session": { body: session },
    "GET /overview": { body: oneCustomer },
    "GET /alerts": { body: { alerts: [] } },
    "GET /system": { body: recorded.system },
    "GET /customers": { body: { customers: [owner] } },
    ...more,
  });
  render(
    <QueryClientProvider client={newQueryClient()}>
      <LanguageProvider>
        <App />
      </LanguageProvider>
    </QueryClientProvider>,
  );
  return (method: string) => requests.filter((request) => request.method === method);
}

export const asOperator = (place: string, more: Parameters<typeof recorded.record>[0]) =>
  open(place, recorded.operatorSession, more);
export const asCustomer = (place: string, more: Parameters<typeof recorded.record>[0]) =>
  open(place, recorded.customerSession, more);
