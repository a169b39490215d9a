import type { ReactNode } from "react";
import type { OverviewCustomer, OverviewNode } from "../../api/types";
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

/** As far as it is known: what an agent says of the collector comes through it, unless the node is asked. */
function Reachable({ node }: { node: OverviewNode }) {
  const { text } = useLanguage();
  if (node.collector_reachable === true) return text.node.collectorReachable;
  if (node.collector_reachable === false) {
    return <span className={styles.trouble}>{text.node.collectorUnreachable}</span>;
  }
  return text.unknown;
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
      <Fact name={node.status === "down" ? text.node.downSince : text.node.lastSeen}>
        {seen === null ? (
          text.never
        ) : (
          <span title={format.momentInZone(seen)}>
            {node.status === "down" && `${format.timeOrMoment(seen)}, `}
            <Ago moment={seen} clockOffsetMs={clockOffsetMs} />
          </span>
        )}
      </Fact>
      {node.buffer_percent != null && (
        <Fact name={text.node.buffer}>{format.percent(node.buffer_percent)}</Fact>
      )}
      {node.collector_reachable !== undefined && node.status !== "down" && (
        <Fact name={text.node.collector}>
          <Reachable node={node} />
        </Fact>
      )}
    </dl>
  );
}
