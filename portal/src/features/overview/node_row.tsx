import { memo, useRef } from "react";
import { Link } from "wouter";
import { useNodeMetrics } from "../nodes/queries";
import type { Alert, OverviewNode } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { Ago } from "../../ui/ago";
import { joined } from "../../ui/curve_data";
import { useInView } from "../../ui/in_view";
import { ReachMark } from "../../ui/reach_mark";
import { SeverityShape } from "../../ui/severity_mark";
import { ruleWords } from "../../live/rule_words";
import { severityOf } from "../../live/severity";
import { Sparkline } from "../../ui/sparkline";
import { StatusMark } from "../../ui/status_mark";
import { statusOf, type UnknownReason } from "../../live/node_status";
import { Unknown } from "../../ui/unknown";
import styles from "./overview.module.css";

interface NodeRowProps {
  customerId: string;
  node: OverviewNode;
  /** Null where nobody knows whether there are any. */
  alerts: readonly Alert[] | null;
  reason: UnknownReason | null;
  isOperator: boolean;
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
  values: (number | null | undefined)[] | undefined;
}) {
  const { text, format } = useLanguage();
  const known = (values ?? []).filter((one) => one != null);
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
        {value === null ? <Unknown reason={text.unknown} /> : format.percent(value)}
      </span>
      <div className={styles.spark}>
        {times !== undefined && values !== undefined && (
          <Sparkline times={times} values={values} color={color} label={label} />
        )}
      </div>
    </div>
  );
}

function NodeAlerts({ alerts }: { alerts: readonly Alert[] | null }) {
  const { text } = useLanguage();
  if (alerts === null) {
    return <Unknown className={styles.faint} reason={text.overview.alertsUnknown} />;
  }
  const worst = alerts[0];
  if (worst === undefined) return <span className={styles.faint}>{text.overview.noAlerts}</span>;
  return (
    <span className={styles.alerts}>
      <SeverityShape severity={severityOf(worst.severity)} />
      {alerts.length === 1 ? ruleWords(worst.name, text) : text.overview.alertCount(alerts.length)}
    </span>
  );
}

/** The two numbers with their curves, which are asked for here: only for rows that are seen. */
function LiveGauges({ customerId, node }: { customerId: string; node: OverviewNode }) {
  const { text } = useLanguage();
  const metrics = useNodeMetrics(customerId, node.id, "15m").data;
  const columns = text.overview.columns;
  return (
    <>
      <td data-label={columns.cpu}>
        <Gauge
          name={columns.cpu}
          color="cpu"
          value={node.cpu_percent}
          times={metrics?.times}
          values={metrics && joined(metrics.cpu_percent, metrics.down_share, metrics.outage_share)}
        />
      </td>
      <td data-label={columns.memory}>
        <Gauge
          name={columns.memory}
          color="memory"
          value={node.memory_percent}
          times={metrics?.times}
          values={
            metrics && joined(metrics.memory_percent, metrics.down_share, metrics.outage_share)
          }
        />
      </td>
    </>
  );
}

function Reason({ reason, isOperator }: { reason: UnknownReason; isOperator: boolean }) {
  const { text } = useLanguage();
  const whole = isOperator ? text.statusReasons : text.statusReasonsForCustomers;
  const short = isOperator ? text.statusReasonsShort : text.statusReasonsShortForCustomers;
  return (
    <small className={styles.reason} title={whole[reason]}>
      {short[reason]}
    </small>
  );
}

/** Counts on while it is seen; a row that is not, which may be printed, has the time that it was. */
function LastSeen({
  moment,
  isInView,
  clockOffsetMs,
}: {
  moment: Date | null;
  isInView: boolean;
  clockOffsetMs: number;
}) {
  const { text, format } = useLanguage();
  if (moment === null) return <>{text.never}</>;
  if (!isInView) return <>{format.timeOrMoment(moment)}</>;
  return <Ago moment={moment} clockOffsetMs={clockOffsetMs} />;
}

interface NodeCellsProps extends NodeRowProps {
  isInView: boolean;
}

/** A row that nobody sees is not drawn anew for numbers alone; once seen, it is. */
function looksTheSame(before: NodeCellsProps, after: NodeCellsProps): boolean {
  return (
    !before.isInView &&
    !after.isInView &&
    before.alerts === after.alerts &&
    before.reason === after.reason &&
    statusOf(before.node) === statusOf(after.node)
  );
}

const NodeCells = memo(function NodeCells(props: NodeCellsProps) {
  const { customerId, node, alerts, reason, isOperator, clockOffsetMs, isInView } = props;
  const { text, format } = useLanguage();
  const columns = text.overview.columns;
  const lastSeen = node.last_seen === null ? null : new Date(node.last_seen);
  const place = [node.region, node.environment].filter(Boolean).join(" · ");
  return (
    <>
      <td className={styles.statusCell}>
        <StatusMark status={statusOf(node)} />
        {reason !== null && <Reason reason={reason} isOperator={isOperator} />}
      </td>
      <td className={styles.nodeCell}>
        <Link
          to={`/nodes/${encodeURIComponent(customerId)}/${encodeURIComponent(node.id)}`}
          className={styles.nodeLink}
          title={node.id}
        >
          {node.id}
        </Link>
        <span className={styles.place} title={place || undefined}>
          {place}
        </span>
      </td>
      {isInView ? (
        <LiveGauges customerId={customerId} node={node} />
      ) : (
        <>
          <td data-label={columns.cpu} data-testid="cpu">
            {node.cpu_percent === null ? (
              <Unknown reason={text.unknown} />
            ) : (
              format.percent(node.cpu_percent)
            )}
          </td>
          <td data-label={columns.memory} data-testid="memory">
            {node.memory_percent === null ? (
              <Unknown reason={text.unknown} />
            ) : (
              format.percent(node.memory_percent)
            )}
          </td>
        </>
      )}
      <td data-label={columns.reach}>
        <ReachMark reach={node.reach} />
      </td>
      <td
        data-label={columns.lastSeen}
        className={styles.seen}
        title={lastSeen === null ? undefined : format.momentInZone(lastSeen)}
      >
        <LastSeen moment={lastSeen} isInView={isInView} clockOffsetMs={clockOffsetMs} />
      </td>
      <td data-label={columns.alerts}>
        <NodeAlerts alerts={alerts} />
      </td>
    </>
  );
}, looksTheSame);

export function NodeRow(props: NodeRowProps) {
  const row = useRef<HTMLTableRowElement>(null);
  const isInView = useInView(row);
  const { node } = props;
  return (
    <tr
      ref={row}
      className={styles.row}
      data-testid="node"
      data-node={node.id}
      data-status={node.status}
    >
      <NodeCells {...props} isInView={isInView} />
    </tr>
  );
}
