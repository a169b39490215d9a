import { Link } from "wouter";
import { useClockOffsetMs } from "../live/queries";
import type { Alert } from "../api/types";
import { useLanguage, type Language } from "../i18n/language";
import { Ago } from "./ago";
import { SeverityMark } from "./severity_mark";
import { ruleWords } from "../live/rule_words";
import { severityOf } from "../live/severity";
import styles from "./alert_list.module.css";

function summaryOf(alert: Alert, language: Language): string {
  return (language === "en" ? alert.summary_en : alert.summary) || alert.name;
}

function Where({ alert, names }: { alert: Alert; names: ReadonlyMap<string, string> | null }) {
  const customer = alert.customer_id;
  return (
    <span className={styles.where}>
      {names !== null && customer !== null && <span>{names.get(customer) ?? customer}</span>}
      {customer !== null && alert.node_id !== null && (
        <Link
          to={`/nodes/${encodeURIComponent(customer)}/${encodeURIComponent(alert.node_id)}`}
          className={styles.node}
        >
          {alert.node_id}
        </Link>
      )}
    </span>
  );
}

/** Alerts as the server orders them; `names` maps customer ids to names, null where there is only one customer. */
export function AlertList({
  alerts,
  names,
}: {
  alerts: readonly Alert[];
  names: ReadonlyMap<string, string> | null;
}) {
  const { text, format, language } = useLanguage();
  const offsetMs = useClockOffsetMs();
  return (
    <ul className={styles.list}>
      {alerts.map((alert) => {
        const since = new Date(alert.started_at);
        return (
          <li
            key={alert.id}
            className={styles.alert}
            data-testid="alert"
            data-alert={alert.name}
            data-severity={severityOf(alert.severity)}
          >
            <div className={styles.severity}>
              <SeverityMark severity={severityOf(alert.severity)} />
              {alert.state !== "firing" && (
                <span className={styles.silenced}>{text.alerts[alert.state]}</span>
              )}
            </div>
            <div className={styles.words}>
              <p className={styles.summary}>{summaryOf(alert, language)}</p>
              <p className={styles.detail}>
                <span title={alert.name}>{ruleWords(alert.name, text)}</span>
                <Where alert={alert} names={names} />
              </p>
            </div>
            <time
              dateTime={alert.started_at}
              title={format.momentInZone(since)}
              className={styles.since}
            >
              <span>
                <Ago moment={since} clockOffsetMs={offsetMs} />
              </span>
              <small>
                {text.alerts.since} {format.moment(since)}
              </small>
            </time>
          </li>
        );
      })}
    </ul>
  );
}
