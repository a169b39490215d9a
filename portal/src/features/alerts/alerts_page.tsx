import { useMemo } from "react";
import { freshnessOf } from "../../api/freshness_of";
import { useAlerts, useOverview, useSystem } from "../../live/queries";
import { secondsOfLength } from "../../i18n/formatter";
import { useLanguage } from "../../i18n/language";
import { AlertList } from "../../ui/alert_list";
import card from "../../ui/card.module.css";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";
import { areAlertsKnown, leftOutOf, type LeftOut } from "../../live/standing";
import { Warnings } from "../../ui/warnings";
import { ZoneNote } from "../../ui/zone_note";
import { alertsSummary, type NodeDownFor } from "./alerts_summary";

/** Null while it is not known. */
function useNodeDownFor(): NodeDownFor | null {
  const { format } = useLanguage();
  const length = useSystem().data?.node_down_for;
  if (length === undefined) return null;
  return { seconds: secondsOfLength(length), words: format.lengthInWords(length) };
}

function NoAlerts({ areKnown }: { areKnown: boolean }) {
  const { text } = useLanguage();
  const nodeDownFor = useNodeDownFor();
  if (!areKnown) {
    return <EmptyState title={text.alerts.notKnown} hint={text.alerts.notKnownHint} />;
  }
  const hint =
    nodeDownFor === null ? text.alerts.emptyHintShort : text.alerts.emptyHint(nodeDownFor.words);
  return <EmptyState title={text.alerts.empty} hint={hint} />;
}

function MoreAlerts({ count, isAtLeast }: LeftOut) {
  const { text, format } = useLanguage();
  if (count === 0 && !isAtLeast) return null;
  const words =
    count === 0 ? text.alerts.someLeftOut : text.alerts.leftOut(format.whole(count), isAtLeast);
  return <p className={card.more}>{words}</p>;
}

export function AlertsPage({ isOperator }: { isOperator: boolean }) {
  const { text } = useLanguage();
  const query = useAlerts();
  const overview = useOverview().data;
  const nodeDownFor = useNodeDownFor();
  const customers = overview?.customers;
  const names = useMemo(
    () => (isOperator ? new Map(customers?.map(({ id, name }) => [id, name])) : null),
    [customers, isOperator],
  );
  const freshness = freshnessOf(query);
  // What was read before the alerts went away is not what is so now.
  const alerts = freshness.refusal === null ? query.data : undefined;
  const warnings = (overview?.warnings ?? []).filter((words) => words !== freshness.refusal);
  return (
    <>
      <PageHead
        title={text.alerts.title}
        lead={
          alerts === undefined
            ? query.isPending && text.loading
            : alertsSummary(alerts, overview, nodeDownFor, text)
        }
        freshness={{ ...freshness, isPartial: warnings.length > 0 }}
      />
      <Warnings messages={warnings} />
      {alerts !== undefined && overview !== undefined && (
        <div className={card.card}>
          {alerts.length === 0 ? (
            <NoAlerts areKnown={areAlertsKnown(overview)} />
          ) : (
            <AlertList alerts={alerts} names={names} />
          )}
          <MoreAlerts {...leftOutOf(overview)} />
        </div>
      )}
      {alerts !== undefined && alerts.length > 0 && <ZoneNote />}
    </>
  );
}
