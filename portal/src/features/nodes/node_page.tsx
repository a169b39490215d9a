import { Link } from "wouter";
import { ApiError } from "../../api/client";
import { clockOffsetMs, freshnessOf } from "../../api/freshness_of";
import { useNodeMetrics } from "./queries";
import { useAlerts, useOverview } from "../../live/queries";
import type { NodeMetrics, Overview, OverviewNode } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { AlertList } from "../../ui/alert_list";
import { ButtonLink } from "../../ui/button";
import card from "../../ui/card.module.css";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";
import { Segmented } from "../../ui/segmented";
import { areAlertsKnownOf, downAlertOf } from "../../live/standing";
import { reasonOf, statusOf, type UnknownReason } from "../../live/node_status";
import { StatusMark } from "../../ui/status_mark";
import { Warnings } from "../../ui/warnings";
import { ZoneNote } from "../../ui/zone_note";
import { NodeActions } from "./node_actions";
import { useAskedRange } from "./asked_range";
import { CurveCard } from "./curve_card";
import { NodeFacts } from "./node_facts";
import styles from "./node.module.css";

interface NodePageProps {
  customerId: string;
  nodeId: string;
  isOperator: boolean;
}

function find(overview: Overview | undefined, customerId: string, nodeId: string) {
  const customer = overview?.customers.find(({ id }) => id === customerId);
  const node = customer?.nodes.find(({ id }) => id === nodeId);
  return { customer, node };
}

function NodeMissing() {
  const { text } = useLanguage();
  return (
    <div className={card.card}>
      <EmptyState title={text.node.notFound} hint={text.node.notFoundHint}>
        <ButtonLink href="/">{text.problem.toOverview}</ButtonLink>
      </EmptyState>
    </div>
  );
}

function NodeAlerts({ customerId, nodeId, isOperator }: NodePageProps) {
  const { text } = useLanguage();
  const query = useAlerts();
  const overview = useOverview().data;
  // What was read before the alerts went away is not what is so now.
  const current = freshnessOf(query).refusal === null ? query.data : undefined;
  const alerts = current?.filter(
    (alert) => alert.customer_id === customerId && alert.node_id === nodeId,
  );
  const none = areAlertsKnownOf(customerId, overview) ? text.node.noAlerts : text.alerts.notKnownOf;
  return (
    <section className={card.card} aria-labelledby="node-alerts">
      <h2 id="node-alerts" className={styles.sectionTitle}>
        {text.node.alerts}
      </h2>
      {alerts !== undefined && alerts.length > 0 ? (
        <AlertList alerts={alerts} names={null} />
      ) : (
        <p className={styles.quiet}>
          {alerts === undefined
            ? (problemText(query.error, text, isOperator) ?? text.loading)
            : none}
        </p>
      )}
    </section>
  );
}

function Curves({
  customerId,
  nodeId,
  node,
  recent,
}: {
  customerId: string;
  nodeId: string;
  node: OverviewNode | undefined;
  recent: NodeMetrics | undefined;
}) {
  const { text } = useLanguage();
  const { range, kept, ask } = useAskedRange();
  const query = useNodeMetrics(customerId, nodeId, range);
  return (
    <>
      <div className={styles.rangeRow}>
        <Segmented
          label={text.node.range}
          value={range}
          onChange={ask}
          segments={kept.map((value) => ({ value, label: text.node.ranges[value] }))}
        />
      </div>
      <Warnings messages={query.data?.warnings ?? []} />
      <div className={styles.curves} aria-busy={query.isPlaceholderData}>
        <CurveCard
          name={text.node.cpu}
          color="cpu"
          range={range}
          node={node}
          query={query}
          recent={recent}
        />
        <CurveCard
          name={text.node.memory}
          color="memory"
          range={range}
          node={node}
          query={query}
          recent={recent}
        />
      </div>
      <ZoneNote />
    </>
  );
}

/** Why the node's state is not known; never that it may be well where it was down before. */
function StatusReason({
  reason,
  customerId,
  nodeId,
  isOperator,
}: NodePageProps & { reason: UnknownReason }) {
  const { text, format } = useLanguage();
  const query = useAlerts();
  const current = freshnessOf(query).refusal === null ? query.data : undefined;
  const isOurs = reason !== "waiting" && reason !== "unmeasured" && reason !== "disabled";
  const before = isOurs ? downAlertOf(current, customerId, nodeId) : undefined;
  const words = (isOperator ? text.statusReasons : text.statusReasonsForCustomers)[reason];
  return (
    <p className={styles.note} data-testid="status-reason">
      {before === undefined
        ? words
        : (isOperator ? text.wasDown : text.wasDownForCustomers)(
            format.timeOrMoment(new Date(before.started_at)),
          )}
    </p>
  );
}

export function NodePage({ customerId, nodeId, isOperator }: NodePageProps) {
  const { text } = useLanguage();
  const query = useOverview();
  const metrics = useNodeMetrics(customerId, nodeId, "15m");
  const { customer, node } = find(query.data, customerId, nodeId);
  const generatedAt = query.data === undefined ? null : new Date(query.data.generated_at);
  const reason =
    node === undefined
      ? null
      : reasonOf(node, query.data?.away ?? [], customer?.is_enabled ?? true);
  const isMissing = metrics.error instanceof ApiError && metrics.error.code === "not_found";

  return (
    <>
      <Link to="/" className={styles.back}>
        <svg viewBox="0 0 14 14" aria-hidden="true">
          <path d="M9 2.500 4.500 7 9 11.500" />
        </svg>
        {text.node.back}
      </Link>
      <PageHead
        title={nodeId}
        heading={
          <span className={styles.title}>
            {nodeId}
            {node !== undefined && (
              <small>
                <StatusMark status={statusOf(node)} />
              </small>
            )}
          </span>
        }
        freshness={{
          ...freshnessOf(query, generatedAt),
          isPartial: (query.data?.warnings.length ?? 0) > 0,
        }}
      >
        {isOperator && node !== undefined && (
          <NodeActions customerId={customerId} nodeId={nodeId} />
        )}
      </PageHead>
      {query.data !== undefined && <Warnings messages={query.data.warnings} />}
      {reason !== null && (
        <StatusReason
          reason={reason}
          customerId={customerId}
          nodeId={nodeId}
          isOperator={isOperator}
        />
      )}
      {isMissing && <NodeMissing />}
      {customer !== undefined && node !== undefined && (
        <NodeFacts
          customer={isOperator ? customer : null}
          node={node}
          clockOffsetMs={clockOffsetMs(generatedAt, query.dataUpdatedAt)}
        />
      )}
      {!isMissing && (
        <>
          <Curves customerId={customerId} nodeId={nodeId} node={node} recent={metrics.data} />
          <NodeAlerts customerId={customerId} nodeId={nodeId} isOperator={isOperator} />
        </>
      )}
    </>
  );
}
