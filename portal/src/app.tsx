import { useEffect, useState, type ReactNode } from "react";
import { Route, Switch, useLocation } from "wouter";
import { freshnessOf } from "./api/freshness_of";
import { useSession } from "./api/session";
import type { Session } from "./api/types";
import { useLanguage } from "./i18n/language";
import { AlertsPage } from "./features/alerts/alerts_page";
import { AuditPage } from "./features/audit/audit_page";
import { ChannelsPage } from "./features/channels/channels_page";
import { CustomersPage } from "./features/customers/customers_page";
import { LoginPage } from "./features/sessions/login_page";
import { NodePage } from "./features/nodes/node_page";
import { showEverything, type NodeFilter } from "./features/overview/filter";
import { OverviewPage } from "./features/overview/overview_page";
import { SessionsPage } from "./features/sessions/sessions_page";
import { TeamPage } from "./features/team/team_page";
import { TokensPage } from "./features/tokens/tokens_page";
import { Shell } from "./shell/shell";
import { EmptyState } from "./ui/empty_state";
import { ButtonLink } from "./ui/button";
import { ErrorBoundary } from "./ui/error_boundary";
import { ConnectionBanner } from "./ui/freshness";
import { useNamedPage } from "./ui/page_name";

function NotFound() {
  const { text } = useLanguage();
  useNamedPage(text.problem.notFound);
  return (
    <EmptyState title={text.problem.notFound} isPage hint={text.problem.notFoundHint}>
      <ButtonLink href="/">{text.problem.toOverview}</ButtonLink>
    </EmptyState>
  );
}

/** A part of the address as it was before it was escaped; null where it never was. */
function unescaped(part: string): string | null {
  try {
    return decodeURIComponent(part);
  } catch {
    return null;
  }
}

function NodeAt({
  customer,
  node,
  isOperator,
}: {
  customer: string;
  node: string;
  isOperator: boolean;
}) {
  const customerId = unescaped(customer);
  const nodeId = unescaped(node);
  if (customerId === null || nodeId === null) return <NotFound />;
  return (
    <NodePage
      key={`${customer}/${node}`}
      customerId={customerId}
      nodeId={nodeId}
      isOperator={isOperator}
    />
  );
}

/** A page about one customer's things: whose the address says, else whose things were looked at last. */
function OfCustomer({
  asked,
  last,
  onAsked,
  children,
}: {
  asked: string | undefined;
  last: string | null;
  onAsked: (customerId: string) => void;
  children: (customerId: string | null) => ReactNode;
}) {
  useEffect(() => {
    if (asked !== undefined) onAsked(asked);
  }, [asked, onAsked]);
  return children(asked ?? last);
}

function Pages({ session }: { session: Session }) {
  // Kept here, so that a search is still there when one comes back from a node, and the customer on the next page.
  const [filter, setFilter] = useState<NodeFilter>(showEverything);
  const [lastCustomer, setLastCustomer] = useState<string | null>(null);
  const isOperator = session.role === "operator";
  return (
    <Shell session={session}>
      <Switch>
        <Route path="/">
          <OverviewPage isOperator={isOperator} filter={filter} setFilter={setFilter} />
        </Route>
        <Route path="/nodes/:customer/:node">
          {({ customer, node }) => (
            <NodeAt customer={customer} node={node} isOperator={isOperator} />
          )}
        </Route>
        <Route path="/alerts">
          <AlertsPage isOperator={isOperator} />
        </Route>
        <Route path="/tokens/:customer?">
          {({ customer }) => (
            <OfCustomer asked={customer} last={lastCustomer} onAsked={setLastCustomer}>
              {(id) => <TokensPage session={session} customerId={id} />}
            </OfCustomer>
          )}
        </Route>
        <Route path="/channels/:customer?">
          {({ customer }) => (
            <OfCustomer asked={customer} last={lastCustomer} onAsked={setLastCustomer}>
              {(id) => <ChannelsPage session={session} customerId={id} />}
            </OfCustomer>
          )}
        </Route>
        <Route path="/audit">
          <AuditPage session={session} />
        </Route>
        <Route path="/sessions">
          <SessionsPage />
        </Route>
        {isOperator && (
          <Route path="/customers">
            <CustomersPage />
          </Route>
        )}
        {isOperator && (
          <Route path="/team">
            <TeamPage session={session} />
          </Route>
        )}
        <Route>
          <NotFound />
        </Route>
      </Switch>
    </Shell>
  );
}

function Whole() {
  const session = useSession();
  if (session.data) return <Pages key={session.data.user} session={session.data} />;
  if (session.data === null) return <LoginPage />;
  return <ConnectionBanner {...freshnessOf(session)} />;
}

export function App() {
  const [place] = useLocation();
  return (
    <ErrorBoundary place={place}>
      <Whole />
    </ErrorBoundary>
  );
}
