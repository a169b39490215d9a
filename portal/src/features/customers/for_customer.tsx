import type { ReactNode } from "react";
import { freshnessOf } from "../../api/freshness_of";
import { useCustomers } from "./queries";
import type { Session } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { ButtonLink } from "../../ui/button";
import card from "../../ui/card.module.css";
import type { Owner } from "../../api/owner";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";
import { byName } from "../../api/owner";

/** A page about one customer's things: the caller's own, the one that was asked for, or the first. */
export function ForCustomer({
  session,
  customerId,
  title,
  lead,
  noCustomerHint,
  children,
}: {
  session: Session;
  customerId: string | null;
  title: string;
  lead: string;
  noCustomerHint: string;
  children: (owner: Owner, owners: readonly Owner[]) => ReactNode;
}) {
  const { text } = useLanguage();
  const query = useCustomers();
  const owners = [...(query.data ?? [])].sort(byName);
  const wanted = session.customer_id ?? customerId;
  const owner = owners.find(({ id }) => id === wanted) ?? owners[0];
  if (owner !== undefined) return children(owner, owners);
  return (
    <>
      <PageHead title={title} lead={lead} freshness={freshnessOf(query)} />
      {query.data !== undefined && (
        <div className={card.card}>
          <EmptyState title={text.tokens.noCustomer} hint={noCustomerHint}>
            <ButtonLink href="/customers" look="primary">
              {text.customers.create}
            </ButtonLink>
          </EmptyState>
        </div>
      )}
    </>
  );
}
