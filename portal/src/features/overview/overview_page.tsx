import { useDeferredValue, useMemo, useState, type ReactNode } from "react";
import { useAlerts, useOverview } from "../../live/queries";
import type { Overview } from "../../api/types";
import { clockOffsetMs, freshnessOf } from "../../api/freshness_of";
import { useLanguage } from "../../i18n/language";
import { Button, ButtonLink } from "../../ui/button";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";
import { Segmented, type Segment } from "../../ui/segmented";
import { SeverityShape } from "../../ui/severity_mark";
import type { Severity } from "../../live/severity";
import { areAlertsKnown, areAlertsKnownOf, firingIn, worstSeverity } from "../../live/standing";
import { StatusShape } from "../../ui/status_mark";
import type { NodeStatus } from "../../live/node_status";
import { Unknown } from "../../ui/unknown";
import { Warnings } from "../../ui/warnings";
import card from "../../ui/card.module.css";
import { AddNode } from "../nodes/add_node";
import { CustomerSection } from "./customer_section";
import {
  alertsByNode,
  filtered,
  found,
  isNothingKnown,
  showEverything,
  totals,
  type NodeFilter,
  type Shown,
  type Totals,
} from "./filter";
import { byName } from "../../api/owner";
import styles from "./overview.module.css";

interface OverviewPageProps {
  isOperator: boolean;
  filter: NodeFilter;
  setFilter: (filter: NodeFilter) => void;
}

const noAlerts: readonly never[] = [];
const noCustomers: readonly never[] = [];

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

function Tiles({ sum, overview, worst }: { sum: Totals; overview: Overview; worst: Severity }) {
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

interface ToolbarProps extends OverviewPageProps {
  /** Of what the search finds. */
  sum: Totals;
  areAlertsKnown: boolean;
}

function Toolbar({ isOperator, filter, setFilter, sum, areAlertsKnown }: ToolbarProps) {
  const { text, format } = useLanguage();
  const search = isOperator ? text.overview.search : text.overview.searchOwn;
  const withAlerts = areAlertsKnown || sum.withAlerts > 0 ? format.whole(sum.withAlerts) : "–";
  const segments: Segment<Shown>[] = [
    { value: "all", label: text.overview.filterAll, count: format.whole(sum.listed) },
    {
      value: "down",
      label: text.overview.filterDown,
      count: isNothingKnown(sum) ? "–" : format.whole(sum.down),
    },
    { value: "degraded", label: text.overview.filterDegraded, count: format.whole(sum.degraded) },
    { value: "unknown", label: text.overview.filterUnknown, count: format.whole(sum.unknown) },
    { value: "waiting", label: text.overview.filterWaiting, count: format.whole(sum.waiting) },
    { value: "alerts", label: text.overview.filterAlerts, count: withAlerts },
  ];
  // What is rare is offered only where there is something.
  const isOffered = ({ value, count }: Segment<Shown>) =>
    (value !== "degraded" && value !== "waiting") || count !== "0" || filter.shown === value;
  return (
    <div className={styles.toolbar}>
      <div className={styles.search}>
        <svg viewBox="0 0 16 16" aria-hidden="true">
          <circle cx="7" cy="7" r="4.800" />
          <path d="m10.600 10.600 3.600 3.600" />
        </svg>
        <input
          type="search"
          aria-label={search}
          placeholder={search}
          value={filter.search}
          onChange={(event) => {
            setFilter({ ...filter, search: event.target.value });
          }}
        />
      </div>
      <Segmented
        label={text.overview.filter}
        value={filter.shown}
        onChange={(shown) => {
          setFilter({ ...filter, shown });
        }}
        segments={segments.filter(isOffered)}
      />
    </div>
  );
}

function NoCustomers() {
  const { text } = useLanguage();
  return (
    <div className={card.card}>
      <EmptyState title={text.overview.noCustomers} hint={text.overview.noCustomersHint}>
        <ButtonLink href="/customers" look="primary">
          {text.overview.createCustomer}
        </ButtonLink>
      </EmptyState>
    </div>
  );
}

export function OverviewPage({ isOperator, filter, setFilter }: OverviewPageProps) {
  const { text } = useLanguage();
  const query = useOverview();
  const [addingTo, setAddingTo] = useState<string | null>(null);
  const asked = useAlerts();
  const search = useDeferredValue(filter);
  const overview = query.data;
  const customers = overview?.customers ?? noCustomers;
  // What was read before the alerts went away is not what is so now.
  const current = freshnessOf(asked).refusal === null ? asked.data : undefined;
  const alerts = current ?? noAlerts;
  const areKnown = current !== undefined && areAlertsKnown(overview);
  const byNode = useMemo(() => alertsByNode(alerts), [alerts]);
  const matching = useMemo(
    () => found(customers, search.search, text),
    [customers, search.search, text],
  );
  const shown = useMemo(
    () => filtered(matching, byNode, search.shown),
    [matching, byNode, search.shown],
  );
  const sum = useMemo(() => totals(customers, byNode), [customers, byNode]);
  const sumFound = useMemo(() => totals(matching, byNode), [matching, byNode]);
  const generatedAt = overview === undefined ? null : new Date(overview.generated_at);
  const offsetMs = clockOffsetMs(generatedAt, query.dataUpdatedAt);

  return (
    <>
      <PageHead
        title={text.overview.title}
        lead={
          overview === undefined
            ? query.isPending && text.loading
            : isOperator
              ? text.overview.leadOperator(overview.customers.length, sum.nodes)
              : text.overview.leadCustomer(sum.nodes)
        }
        freshness={{
          ...freshnessOf(query, generatedAt),
          isPartial: (overview?.warnings.length ?? 0) > 0,
        }}
      >
        {overview !== undefined && overview.customers.length > 0 && (
          <Button
            look="primary"
            onClick={() => {
              const [first, second] = overview.customers;
              setAddingTo(second === undefined ? (first?.id ?? null) : "");
            }}
          >
            {text.addNode.add}
          </Button>
        )}
      </PageHead>
      {overview !== undefined && (
        <>
          <Warnings messages={overview.warnings} />
          <Tiles sum={sum} overview={overview} worst={worstSeverity(alerts) ?? "critical"} />
          {sum.listed > 0 && (
            <Toolbar
              isOperator={isOperator}
              filter={filter}
              setFilter={setFilter}
              sum={sumFound}
              areAlertsKnown={areKnown}
            />
          )}
          {overview.customers.length === 0 && <NoCustomers />}
          {overview.customers.length > 0 && shown.length === 0 && (
            <div className={card.card}>
              <EmptyState title={text.overview.noMatch} hint={text.overview.noMatchHint}>
                <Button
                  onClick={() => {
                    setFilter(showEverything);
                  }}
                >
                  {text.overview.clearFilters}
                </Button>
              </EmptyState>
            </div>
          )}
          {shown.map((customer) => (
            <CustomerSection
              key={customer.id}
              customer={customer}
              alerts={byNode}
              areAlertsKnown={areKnown && areAlertsKnownOf(customer.id, overview)}
              away={overview.away}
              isOperator={isOperator}
              clockOffsetMs={offsetMs}
              onAddNode={setAddingTo}
            />
          ))}
          {addingTo !== null && (
            <AddNode
              owners={[...overview.customers].sort(byName)}
              customerId={addingTo}
              isOperator={isOperator}
              onClose={() => {
                setAddingTo(null);
              }}
            />
          )}
        </>
      )}
    </>
  );
}
