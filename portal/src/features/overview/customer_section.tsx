import { memo } from "react";
import type { Overview, OverviewCustomer, OverviewNode } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import { EmptyState } from "../../ui/empty_state";
import { countsOf } from "../../live/standing";
import { reasonOf } from "../../live/node_status";
import { StatusShape } from "../../ui/status_mark";
import card from "../../ui/card.module.css";
import { nodeKey } from "../../live/standing";
import type { AlertsByNode } from "./filter";
import { NodeRow } from "./node_row";
import styles from "./overview.module.css";

const noAlerts: readonly never[] = [];

/** Of the nodes that are shown, by their state, the worst first. */
function Counts({ nodes }: { nodes: readonly OverviewNode[] }) {
  const { text } = useLanguage();
  const counts = countsOf(nodes);
  const chips = [
    ["down", text.overview.nodesDown],
    ["degraded", text.overview.nodesDegraded],
    ["unknown", text.overview.nodesUnknown],
    ["waiting", text.overview.nodesWaiting],
    ["up", text.overview.nodesUp],
  ] as const;
  return (
    <p className={styles.counts}>
      {chips.map(
        ([status, words]) =>
          counts[status] > 0 && (
            <span key={status} data-tone={status}>
              <StatusShape status={status} />
              {words(counts[status])}
            </span>
          ),
      )}
    </p>
  );
}

function ColumnHeads() {
  const columns = useLanguage().text.overview.columns;
  const heads = [
    columns.status,
    columns.node,
    columns.cpu,
    columns.memory,
    columns.reach,
    columns.lastSeen,
    columns.alerts,
  ];
  return (
    <thead>
      <tr>
        {heads.map((words) => (
          <th key={words} scope="col">
            {words}
          </th>
        ))}
      </tr>
    </thead>
  );
}

interface CustomerSectionProps {
  customer: OverviewCustomer;
  alerts: AlertsByNode;
  /** False where a node that is not among `alerts` may have one all the same. */
  areAlertsKnown: boolean;
  away: Overview["away"];
  isOperator: boolean;
  clockOffsetMs: number;
  onAddNode: (customerId: string) => void;
}

export const CustomerSection = memo(function CustomerSection({
  customer,
  alerts,
  areAlertsKnown,
  away,
  isOperator,
  clockOffsetMs,
  onAddNode,
}: CustomerSectionProps) {
  const { text } = useLanguage();
  const headingId = `customer-${customer.id}`;
  return (
    <section
      className={`${card.card} ${styles.customer}`}
      aria-labelledby={headingId}
      data-testid="customer"
      data-customer={customer.id}
    >
      <header className={styles.customerHead}>
        <h2 id={headingId}>
          {customer.name} <code className={styles.customerId}>{customer.id}</code>
        </h2>
        {customer.is_enabled ? (
          <Counts nodes={customer.nodes} />
        ) : (
          <span className={styles.disabled}>{text.overview.disabled}</span>
        )}
      </header>
      {customer.nodes.length === 0 ? (
        <EmptyState title={text.overview.noNodes} hint={text.overview.noNodesHint}>
          <Button
            look="primary"
            onClick={() => {
              onAddNode(customer.id);
            }}
          >
            {text.addNode.add}
          </Button>
        </EmptyState>
      ) : (
        <table className={`${card.table} ${styles.nodes}`}>
          <ColumnHeads />
          <tbody>
            {customer.nodes.map((node) => (
              <NodeRow
                key={node.id}
                customerId={customer.id}
                node={node}
                alerts={
                  alerts.get(nodeKey(customer.id, node.id)) ?? (areAlertsKnown ? noAlerts : null)
                }
                reason={reasonOf(node, away, customer.is_enabled)}
                isOperator={isOperator}
                clockOffsetMs={clockOffsetMs}
              />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
});
