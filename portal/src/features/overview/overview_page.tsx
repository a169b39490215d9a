import { useDeferredValue, useMemo, useState } from "react";
import { useAlerts, useOverview } from "../../live/queries";
import type { Alert, Overview } from "../../api/types";
import { clockOffsetMs, freshnessOf } from "../../api/freshness_of";
import { useLanguage, type Dictionary } from "../../i18n/language";
import { Button, ButtonLink } from "../../ui/button";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";
import { Segmented, type Segment } from "../../ui/segmented";
import { areAlertsKnown, areAlertsKnownOf, watchedNodes, worstSeverity } from "../../live/standing";
import { Warnings } from "../../ui/warnings";
import card from "../../ui/card.module.css";
import { AddNode } from "../nodes/add_node";
import { CustomerSection } from "./customer_section";
import { Tiles } from "./tiles";
import {
  alertsByNode,
  filtered,
  found,
  isNothingKnown,
  showEverything,
  totals,
  type AlertsByNode,
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

function NoMatch({ onClear }: { onClear: () => void }) {
  const { text } = useLanguage();
  return (
    <div className={card.card}>
      <EmptyState title={text.overview.noMatch} hint={text.overview.noMatchHint}>
        <Button onClick={onClear}>{text.overview.clearFilters}</Button>
      </EmptyState>
    </div>
  );
}

function leadOf(overview: Overview, isOperator: boolean, text: Dictionary): string {
  const nodes = watchedNodes(overview).length;
  return isOperator
    ? text.overview.leadOperator(overview.customers.length, nodes)
    : text.overview.leadCustomer(nodes);
}

/** What the filter leaves of the customers, and the sums of all and of what the search finds. */
function useFiltered(customers: Overview["customers"], filter: NodeFilter, byNode: AlertsByNode) {
  const { text } = useLanguage();
  const { search, shown: kind } = useDeferredValue(filter);
  const matching = useMemo(() => found(customers, search, text), [customers, search, text]);
  const shown = useMemo(() => filtered(matching, byNode, kind), [matching, byNode, kind]);
  const sum = useMemo(() => totals(customers, byNode), [customers, byNode]);
  const sumFound = useMemo(() => totals(matching, byNode), [matching, byNode]);
  return { shown, sum, sumFound };
}

/** The alerts that stand, as far as they are known now. */
function useCurrentAlerts() {
  const asked = useAlerts();
  // What was read before the alerts went away is not what is so now.
  return freshnessOf(asked).refusal === null ? asked.data : undefined;
}

interface StandingProps extends OverviewPageProps {
  overview: Overview;
  alerts: readonly Alert[];
  areAlertsKnown: boolean;
  clockOffsetMs: number;
  onAddNode: (customerId: string) => void;
}

/** All customers with their nodes, the sums above them. */
function Standing({ overview, alerts, areAlertsKnown: areKnown, ...props }: StandingProps) {
  const { isOperator, filter, setFilter, clockOffsetMs: offsetMs, onAddNode } = props;
  const byNode = useMemo(() => alertsByNode(alerts), [alerts]);
  const { shown, sum, sumFound } = useFiltered(overview.customers, filter, byNode);
  return (
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
        <NoMatch
          onClear={() => {
            setFilter(showEverything);
          }}
        />
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
          onAddNode={onAddNode}
        />
      ))}
    </>
  );
}

export function OverviewPage(props: OverviewPageProps) {
  const { isOperator } = props;
  const { text } = useLanguage();
  const query = useOverview();
  const current = useCurrentAlerts();
  const [addingTo, setAddingTo] = useState<string | null>(null);
  const overview = query.data;
  const generatedAt = overview === undefined ? null : new Date(overview.generated_at);

  return (
    <>
      <PageHead
        title={text.overview.title}
        lead={
          overview === undefined
            ? query.isPending && text.loading
            : leadOf(overview, isOperator, text)
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
        <Standing
          {...props}
          overview={overview}
          alerts={current ?? noAlerts}
          areAlertsKnown={current !== undefined && areAlertsKnown(overview)}
          clockOffsetMs={clockOffsetMs(generatedAt, query.dataUpdatedAt)}
          onAddNode={setAddingTo}
        />
      )}
      {overview !== undefined && addingTo !== null && (
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
  );
}
