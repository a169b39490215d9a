import { useDeferredValue, useMemo, useState } from "react";
import { useAlerts, useOverview, type Overview } from "../../api/queries";
import { clockOffsetMs, freshnessOf } from "../../api/freshness_of";
import { useLanguage } from "../../i18n/language";
import { Button, ButtonLink } from "../../ui/button";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";
import { Segmented } from "../../ui/segmented";
import { StatusShape } from "../../ui/status_mark";
import { SeverityShape } from "../../ui/severity_mark";
import { Warnings } from "../../ui/warnings";
import { firingIn } from "../../shell/document_title";
import card from "../../ui/card.module.css";
import { AddNode } from "../nodes/add_node";
import { CustomerSection } from "./customer_section";
import {
  alertsByNode,
  filtered,
  showEverything,
  totals,
  type NodeFilter,
  type Totals,
} from "./filter";
import styles from "./overview.module.css";

interface OverviewPageProps {
  isOperator: boolean;
  filter: NodeFilter;
  setFilter: (filter: NodeFilter) => void;
}

const noAlerts: readonly never[] = [];

function Tiles({ sum, overview }: { sum: Totals; overview: Overview }) {
  const { text, format } = useLanguage();
  const firing = firingIn(overview);
  return (
    <dl className={styles.tiles}>
      <div className={card.card} data-tone={sum.up > 0 ? "up" : undefined}>
        <dt>
          <StatusShape status="up" /> {text.overview.up}
        </dt>
        <dd data-testid="total-up">
          {format.whole(sum.up)}
          <small> / {format.whole(sum.nodes)}</small>
        </dd>
      </div>
      <div className={card.card} data-tone={sum.down > 0 ? "down" : undefined}>
        <dt>
          <StatusShape status="down" /> {text.overview.down}
        </dt>
        <dd data-testid="total-down">{format.whole(sum.down)}</dd>
      </div>
      {sum.unknown > 0 && (
        <div className={card.card} data-tone="unknown">
          <dt>
            <StatusShape status="unknown" /> {text.overview.unknown}
          </dt>
          <dd data-testid="total-unknown">{format.whole(sum.unknown)}</dd>
        </div>
      )}
      <div className={card.card} data-tone={firing !== null && firing > 0 ? "down" : undefined}>
        <dt>
          <SeverityShape severity="critical" /> {text.overview.alerts}
        </dt>
        <dd data-testid="total-alerts">{firing === null ? "–" : format.whole(firing)}</dd>
      </div>
    </dl>
  );
}

function Toolbar({ isOperator, filter, setFilter, sum }: OverviewPageProps & { sum: Totals }) {
  const { text } = useLanguage();
  const search = isOperator ? text.overview.search : text.overview.searchOwn;
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
        segments={[
          { value: "all", label: text.overview.filterAll, count: sum.nodes },
          { value: "down", label: text.overview.filterDown, count: sum.down },
          { value: "alerts", label: text.overview.filterAlerts, count: sum.withAlerts },
        ]}
      />
    </div>
  );
}

function NoCustomers() {
  const { text } = useLanguage();
  return (
    <div className={card.card}>
      <EmptyState title={text.overview.noCustomers} hint={text.overview.noCustomersHint}>
        <ButtonLink href="#/customers" look="primary">
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
  const alerts = useAlerts().data ?? noAlerts;
  const search = useDeferredValue(filter);
  const overview = query.data;
  const byNode = useMemo(() => alertsByNode(alerts), [alerts]);
  const shown = useMemo(
    () => filtered(overview?.customers ?? [], byNode, search),
    [overview, byNode, search],
  );
  const sum = useMemo(() => totals(overview?.customers ?? [], byNode), [overview, byNode]);
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
        freshness={freshnessOf(query, generatedAt)}
      >
        {overview !== undefined && overview.customers.length > 0 && (
          <Button
            look="primary"
            onClick={() => {
              setAddingTo(overview.customers[0]?.id ?? null);
            }}
          >
            {text.addNode.add}
          </Button>
        )}
      </PageHead>
      {overview !== undefined && (
        <>
          <Warnings messages={overview.warnings} isOperator={isOperator} />
          <Tiles sum={sum} overview={overview} />
          {sum.nodes > 0 && (
            <Toolbar isOperator={isOperator} filter={filter} setFilter={setFilter} sum={sum} />
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
              clockOffsetMs={offsetMs}
              onAddNode={setAddingTo}
            />
          ))}
          {addingTo !== null && (
            <AddNode
              owners={overview.customers}
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
