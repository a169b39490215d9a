import { memo, useRef } from "react";
import { Link } from "wouter";
import { useNodeMetrics, type Alert, type OverviewNode } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import { Ago } from "../../ui/ago";
import { useInView } from "../../ui/in_view";
import { ReachMark } from "../../ui/reach_mark";
import { SeverityShape, severityOf } from "../../ui/severity_mark";
import { Sparkline } from "../../ui/sparkline";
import { StatusMark, statusOf } from "../../ui/status_mark";
import styles from "./overview.module.css";

interface NodeRowProps {
  customerId: string;
  node: OverviewNode;
  alerts: readonly Alert[];
  clockOffsetMs: number;
}

function Gauge({
  name,
  color,
  value,
  times,
  values,
}: {
  name: string;
  color: "cpu" | "memory";
  value: number | null;
  times: number[] | undefined;
  values: (number | null)[] | undefined;
}) {
  const { text, format } = useLanguage();
  const known = (values ?? []).filter((one) => one !== null);
  const label =
    known.length === 0
      ? text.sparklineEmpty(name)
      : text.sparkline(
          name,
          format.percent(Math.min(...known)),
          format.percent(Math.max(...known)),
          value === null ? text.unknown : format.percent(value),
        );
  return (
    <div className={styles.gauge}>
      <span className={styles.number} data-testid={color}>
        {value === null ? "–" : format.percent(value)}
      </span>
      <div className={styles.spark}>
        {times !== undefined && values !== undefined && (
          <Sparkline times={times} values={values} color={color} label={label} />
        )}
      </div>
    </div>
  );
}

function NodeAlerts({ alerts }: { alerts: readonly Alert[] }) {
  const { text } = useLanguage();
  const worst = alerts[0];
  if (worst === undefined) return <span className={styles.faint}>{text.overview.noAlerts}</span>;
  return (
    <span className={styles.alerts}>
      <SeverityShape severity={severityOf(worst.severity)} />
      {alerts.length === 1 ? worst.name : text.overview.alertCount(alerts.length)}
    </span>
  );
}

export const NodeRow = memo(function NodeRow(props: NodeRowProps) {
  const { customerId, node, alerts, clockOffsetMs } = props;
  const { text, format } = useLanguage();
  const row = useRef<HTMLTableRowElement>(null);
  const isInView = useInView(row);
  const metrics = useNodeMetrics(customerId, node.id, "15m", isInView).data;
  const lastSeen = node.last_seen === null ? null : new Date(node.last_seen);
  const place = [node.region, node.environment].filter(Boolean).join(" · ");
  return (
    <tr
      ref={row}
      className={styles.row}
      data-testid="node"
      data-node={node.id}
      data-status={node.status}
    >
      <td className={styles.statusCell}>
        <StatusMark status={statusOf(node)} />
      </td>
      <td className={styles.nodeCell}>
        <Link
          to={`/nodes/${encodeURIComponent(customerId)}/${encodeURIComponent(node.id)}`}
          className={styles.nodeLink}
        >
          {node.id}
        </Link>
        <span className={styles.place}>{place}</span>
      </td>
      <td data-label={text.overview.columns.cpu}>
        <Gauge
          name={text.overview.columns.cpu}
          color="cpu"
          value={node.cpu_percent}
          times={metrics?.times}
          values={metrics?.cpu_percent}
        />
      </td>
      <td data-label={text.overview.columns.memory}>
        <Gauge
          name={text.overview.columns.memory}
          color="memory"
          value={node.memory_percent}
          times={metrics?.times}
          values={metrics?.memory_percent}
        />
      </td>
      <td data-label={text.overview.columns.reach}>
        <ReachMark reach={node.reach} />
      </td>
      <td
        data-label={text.overview.columns.lastSeen}
        className={styles.seen}
        title={lastSeen === null ? undefined : format.moment(lastSeen)}
      >
        {lastSeen !== null && isInView && <Ago moment={lastSeen} clockOffsetMs={clockOffsetMs} />}
        {lastSeen === null && text.never}
      </td>
      <td data-label={text.overview.columns.alerts}>
        <NodeAlerts alerts={alerts} />
      </td>
    </tr>
  );
});
