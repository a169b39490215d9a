import { useState } from "react";
import { Link } from "wouter";
import { freshnessOf } from "../../api/freshness_of";
import { useCustomers } from "./queries";
import { useOverview } from "../../live/queries";
import type { Customer, OverviewCustomer } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import card from "../../ui/card.module.css";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";
import rows from "../../ui/rows.module.css";
import { firingOf } from "../../live/standing";
import { Unknown } from "../../ui/unknown";
import { byName } from "../../api/owner";
import { ChangeCustomer } from "./change_customer";
import { CreateCustomer } from "./create_customer";
import { CustomerUsers } from "./customer_users";
import styles from "./customers.module.css";

function CustomerRow({
  customer,
  live,
  firing,
  onUsers,
  onChange,
}: {
  customer: Customer;
  live: OverviewCustomer | undefined;
  /** Its active alerts; null where they are not known. */
  firing: number | null;
  onUsers: () => void;
  onChange: () => void;
}) {
  const { text, format } = useLanguage();
  const columns = text.customers.columns;
  return (
    <tr className={styles.row} data-testid="customer-row" data-customer={customer.id}>
      <td className={styles.who}>
        <strong className={styles.name}>
          {customer.name}
          {!customer.is_enabled && (
            <span className={`${rows.pill} ${styles.disabled}`}>{text.overview.disabled}</span>
          )}
        </strong>
        <code className={styles.id}>{customer.id}</code>
      </td>
      <td className={styles.number} data-label={columns.nodes}>
        {live === undefined ? <Unknown reason={text.unknown} /> : format.whole(live.nodes.length)}
      </td>
      <td className={styles.number} data-label={columns.alerts}>
        {firing === null ? <Unknown reason={text.overview.alertsUnknown} /> : format.whole(firing)}
      </td>
      <td className={styles.date} data-label={columns.created}>
        {format.date(new Date(customer.created_at))}
      </td>
      <td className={styles.actions}>
        <div>
          <Button
            look="quiet"
            className={rows.small}
            aria-label={text.customers.changeLabel(customer.name)}
            onClick={onChange}
          >
            {text.changeNode.open}
          </Button>
          <Button look="quiet" className={rows.small} onClick={onUsers}>
            {text.customers.users}
          </Button>
          <Link to={`/tokens/${customer.id}`}>{text.customers.openTokens}</Link>
        </div>
      </td>
    </tr>
  );
}

function disabledLast(a: Customer, b: Customer): number {
  return Number(b.is_enabled) - Number(a.is_enabled) || byName(a, b);
}

function CustomerTable({
  customers,
  onUsers,
  onChange,
}: {
  customers: readonly Customer[];
  onUsers: (customer: Customer) => void;
  onChange: (customer: Customer) => void;
}) {
  const { text } = useLanguage();
  const overview = useOverview().data;
  const columns = text.customers.columns;
  return (
    <table className={`${card.table} ${styles.customers}`}>
      <thead>
        <tr>
          <th scope="col">{columns.customer}</th>
          <th scope="col" className={styles.number}>
            {columns.nodes}
          </th>
          <th scope="col" className={styles.number}>
            {columns.alerts}
          </th>
          <th scope="col">{columns.created}</th>
          <td />
        </tr>
      </thead>
      <tbody>
        {[...customers].sort(disabledLast).map((customer) => {
          const live = overview?.customers.find(({ id }) => id === customer.id);
          return (
            <CustomerRow
              key={customer.id}
              customer={customer}
              live={live}
              firing={
                live === undefined || overview === undefined ? null : firingOf(live, overview)
              }
              onUsers={() => {
                onUsers(customer);
              }}
              onChange={() => {
                onChange(customer);
              }}
            />
          );
        })}
      </tbody>
    </table>
  );
}

export function CustomersPage() {
  const { text } = useLanguage();
  const query = useCustomers();
  const [isCreating, setIsCreating] = useState(false);
  const [changing, setChanging] = useState<Customer | null>(null);
  const [usersOf, setUsersOf] = useState<Customer | null>(null);
  return (
    <>
      <PageHead
        title={text.customers.title}
        lead={text.customers.lead}
        freshness={freshnessOf(query)}
      >
        <Button
          look="primary"
          onClick={() => {
            setIsCreating(true);
          }}
        >
          {text.customers.create}
        </Button>
      </PageHead>
      {query.data !== undefined && (
        <div className={card.card}>
          {query.data.length === 0 ? (
            <EmptyState title={text.customers.empty} hint={text.customers.emptyHint} />
          ) : (
            <CustomerTable customers={query.data} onUsers={setUsersOf} onChange={setChanging} />
          )}
        </div>
      )}
      {isCreating && (
        <CreateCustomer
          onClose={() => {
            setIsCreating(false);
          }}
        />
      )}
      {changing !== null && (
        <ChangeCustomer
          customer={changing}
          onClose={() => {
            setChanging(null);
          }}
        />
      )}
      {usersOf !== null && (
        <CustomerUsers
          customer={usersOf}
          onClose={() => {
            setUsersOf(null);
          }}
        />
      )}
    </>
  );
}
