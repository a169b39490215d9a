import "uplot/dist/uPlot.min.css";
import "./ui/theme.css";
import { CSPProvider } from "@base-ui/react/csp-provider";
import { QueryClientProvider } from "@tanstack/react-query";
import { StrictMode } from "react";
import { createRoot } from "react-dom/client";
import { forwardOldLinks } from "./shell/old_links";
import { App } from "./app";
import { newQueryClient } from "./api/query_client";
import { LanguageProvider } from "./i18n/language";

const root = document.getElementById("root");
if (root === null) throw new Error("the page has no root element");

forwardOldLinks();
const client = newQueryClient();

createRoot(root).render(
  <StrictMode>
    <CSPProvider disableStyleElements>
      <QueryClientProvider client={client}>
        <LanguageProvider>
          <App />
        </LanguageProvider>
      </QueryClientProvider>
    </CSPProvider>
  </StrictMode>,
);
