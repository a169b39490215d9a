import { useMemo } from "react";
import { freshnessOf } from "../../api/freshness_of";
import { useAlerts, useOverview, useSystem } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import { AlertList } from "../../ui/alert_list";
import card from "../../ui/card.module.css";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";

function NoAlerts() {
  const { text, format } = useLanguage();
  const nodeDownFor = useSystem().data?.node_down_for;
  const hint =
    nodeDownFor === undefined
      ? text.alerts.emptyHintShort
      : text.alerts.emptyHint(format.lengthInWords(nodeDownFor));
  return <EmptyState title={text.alerts.empty} hint={hint} />;
}

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
          {query.data.length === 0 ? <NoAlerts /> : <AlertList alerts={query.data} names={names} />}
        </div>
      )}
    </>
  );
}
