import { memo } from "react";
import type { OverviewCustomer } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import { EmptyState } from "../../ui/empty_state";
import { StatusShape } from "../../ui/status_mark";
import card from "../../ui/card.module.css";
import { nodeKey, type AlertsByNode } from "./filter";
import { NodeRow } from "./node_row";
import styles from "./overview.module.css";

const noAlerts: readonly never[] = [];

function Counts({ customer }: { customer: OverviewCustomer }) {
  const { text } = useLanguage();
  return (
    <p className={styles.counts}>
      {customer.nodes_down > 0 && (
        <span data-tone="down">
          <StatusShape status="down" />
          {text.overview.nodesDown(customer.nodes_down)}
        </span>
      )}
      {customer.nodes_up > 0 && (
        <span data-tone="up">
          <StatusShape status="up" />
          {text.overview.nodesUp(customer.nodes_up)}
        </span>
      )}
      {customer.nodes_unknown > 0 && (
        <span data-tone="unknown">
          <StatusShape status="unknown" />
          {text.overview.nodesUnknown(customer.nodes_unknown)}
        </span>
      )}
    </p>
  );
}

export const CustomerSection = memo(function CustomerSection({
  customer,
  alerts,
  clockOffsetMs,
  onAddNode,
}: {
  customer: OverviewCustomer;
  alerts: AlertsByNode;
  clockOffsetMs: number;
  onAddNode: (customerId: string) => void;
}) {
  const { text } = useLanguage();
  const columns = text.overview.columns;
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
        {!customer.is_enabled && <span className={styles.disabled}>{text.overview.disabled}</span>}
        <Counts customer={customer} />
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
          <thead>
            <tr>
              <th scope="col">{columns.status}</th>
              <th scope="col">{columns.node}</th>
              <th scope="col">{columns.cpu}</th>
              <th scope="col">{columns.memory}</th>
              <th scope="col">{columns.reach}</th>
              <th scope="col">{columns.lastSeen}</th>
              <th scope="col">{columns.alerts}</th>
            </tr>
          </thead>
          <tbody>
            {customer.nodes.map((node) => (
              <NodeRow
                key={node.id}
                customerId={customer.id}
                node={node}
                alerts={alerts.get(nodeKey(customer.id, node.id)) ?? noAlerts}
                clockOffsetMs={clockOffsetMs}
              />
            ))}
          </tbody>
        </table>
      )}
    </section>
  );
});
