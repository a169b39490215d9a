import type { ReactNode } from "react";
import type { OverviewCustomer, OverviewNode } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import { Ago } from "../../ui/ago";
import card from "../../ui/card.module.css";
import { ReachMark } from "../../ui/reach_mark";
import styles from "./node.module.css";

function Fact({ name, children }: { name: string; children: ReactNode }) {
  return (
    <div>
      <dt>{name}</dt>
      <dd>{children}</dd>
    </div>
  );
}

export function NodeFacts({
  customer,
  node,
  clockOffsetMs,
}: {
  customer: OverviewCustomer | null;
  node: OverviewNode;
  clockOffsetMs: number;
}) {
  const { text, format } = useLanguage();
  const seen = node.last_seen === null ? null : new Date(node.last_seen);
  return (
    <dl className={`${card.card} ${styles.facts}`}>
      {customer !== null && <Fact name={text.node.customer}>{customer.name}</Fact>}
      <Fact name={text.node.region}>{node.region || "–"}</Fact>
      <Fact name={text.node.environment}>{node.environment || "–"}</Fact>
      <Fact name={text.node.reach}>
        <ReachMark reach={node.reach} />
      </Fact>
      <Fact name={text.node.lastSeen}>
        {seen === null ? text.never : <Ago moment={seen} clockOffsetMs={clockOffsetMs} />}
      </Fact>
      {node.buffer_percent != null && (
        <Fact name={text.node.buffer}>{format.percent(node.buffer_percent)}</Fact>
      )}
      {node.collector_reachable != null && (
        <Fact name={text.node.collector}>
          {node.collector_reachable ? (
            text.node.collectorReachable
          ) : (
            <span className={styles.trouble}>{text.node.collectorUnreachable}</span>
          )}
        </Fact>
      )}
    </dl>
  );
}
