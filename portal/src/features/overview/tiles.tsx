import type { ReactNode } from "react";
import type { Overview } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import type { NodeStatus } from "../../live/node_status";
import type { Severity } from "../../live/severity";
import { firingIn } from "../../live/standing";
import card from "../../ui/card.module.css";
import { SeverityShape } from "../../ui/severity_mark";
import { StatusShape } from "../../ui/status_mark";
import { Unknown } from "../../ui/unknown";
import { isNothingKnown, type Totals } from "./filter";
import styles from "./overview.module.css";

function Tile({
  tone,
  mark,
  label,
  value,
  children,
}: {
  tone: string | undefined;
  mark: ReactNode;
  label: string;
  value: NodeStatus | "alerts";
  children: ReactNode;
}) {
  return (
    <div className={card.card} data-tone={tone}>
      <dt>
        {mark} {label}
      </dt>
      <dd data-testid={`total-${value}`}>{children}</dd>
    </div>
  );
}

const tiles: readonly NodeStatus[] = ["up", "down", "degraded", "unknown", "waiting"];
const alwaysShown: readonly NodeStatus[] = ["up", "down"];

/** The sums over all customers: how many nodes are in which state, and alerts. */
export function Tiles({
  sum,
  overview,
  worst,
}: {
  sum: Totals;
  overview: Overview;
  worst: Severity;
}) {
  const { text, format } = useLanguage();
  const firing = firingIn(overview);
  return (
    <dl className={styles.tiles}>
      {tiles
        .filter((status) => sum[status] > 0 || alwaysShown.includes(status))
        .map((status) => (
          <Tile
            key={status}
            tone={sum[status] > 0 ? status : undefined}
            mark={<StatusShape status={status} />}
            label={text.overview[status]}
            value={status}
          >
            {sum[status] === 0 && isNothingKnown(sum) ? (
              <Unknown reason={text.overview.statesUnknown} />
            ) : (
              format.whole(sum[status])
            )}
            {status === "up" && <small> / {format.whole(sum.nodes)}</small>}
          </Tile>
        ))}
      <Tile
        tone={firing !== null && firing > 0 ? worst : undefined}
        mark={<SeverityShape severity={worst} />}
        label={text.overview.alerts}
        value="alerts"
      >
        {firing === null ? <Unknown reason={text.overview.alertsUnknown} /> : format.whole(firing)}
      </Tile>
    </dl>
  );
}
