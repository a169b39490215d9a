import { useMemo } from "react";
import { freshnessOf } from "../../api/freshness_of";
import { useAlerts, useOverview } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import { AlertList } from "../../ui/alert_list";
import card from "../../ui/card.module.css";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";

export function AlertsPage({ isOperator }: { isOperator: boolean }) {
  const { text } = useLanguage();
  const query = useAlerts();
  const customers = useOverview().data?.customers;
  const names = useMemo(
    () => (isOperator ? new Map(customers?.map(({ id, name }) => [id, name])) : null),
    [customers, isOperator],
  );
  const firing = query.data?.filter(({ state }) => state === "firing").length ?? 0;
  const silenced = (query.data?.length ?? 0) - firing;
  return (
    <>
      <PageHead
        title={text.alerts.title}
        lead={
          query.data === undefined
            ? query.isPending && text.loading
            : text.alerts.lead(firing, silenced)
        }
        freshness={freshnessOf(query)}
      />
      {query.data !== undefined && (
        <div className={card.card}>
          {query.data.length === 0 ? (
            <EmptyState title={text.alerts.empty} hint={text.alerts.emptyHint} />
          ) : (
            <AlertList alerts={query.data} names={names} />
          )}
        </div>
      )}
    </>
  );
}
