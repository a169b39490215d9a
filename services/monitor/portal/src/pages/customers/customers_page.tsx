import { useState } from "react";
import { Link } from "wouter";
import { freshnessOf } from "../../api/freshness_of";
import { useCustomers, useOverview, type Customer, type OverviewCustomer } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import card from "../../ui/card.module.css";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";
import rows from "../../ui/rows.module.css";
import { CreateCustomer } from "./create_customer";
import { CustomerUsers } from "./customer_users";
import styles from "./customers.module.css";

function CustomerRow({
  customer,
  live,
  onUsers,
}: {
  customer: Customer;
  live: OverviewCustomer | undefined;
  onUsers: () => void;
}) {
  const { text, format } = useLanguage();
  return (
    <tr data-testid="customer-row" data-customer={customer.id}>
      <td>
        <strong className={styles.name}>{customer.name}</strong>
        <code className={styles.id}>{customer.id}</code>
      </td>
      <td className={styles.number}>
        {live === undefined ? "–" : format.whole(live.nodes.length)}
      </td>
      <td className={styles.number}>
        {live?.alerts_firing == null ? "–" : format.whole(live.alerts_firing)}
      </td>
      <td className={rows.wide}>{format.date(new Date(customer.created_at))}</td>
      <td className={styles.actions}>
        <Button look="quiet" className={rows.small} onClick={onUsers}>
          {text.customers.users}
        </Button>
        <Link to={`/tokens/${customer.id}`}>{text.customers.openTokens}</Link>
      </td>
    </tr>
  );
}

export function CustomersPage() {
  const { text } = useLanguage();
  const query = useCustomers();
  const overview = useOverview().data;
  const [isCreating, setIsCreating] = useState(false);
  const [usersOf, setUsersOf] = useState<Customer | null>(null);
  const columns = text.customers.columns;
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
            <div className={card.scroll}>
              <table className={card.table}>
                <thead>
                  <tr>
                    <th scope="col">{columns.customer}</th>
                    <th scope="col" className={styles.number}>
                      {columns.nodes}
                    </th>
                    <th scope="col" className={styles.number}>
                      {columns.alerts}
                    </th>
                    <th scope="col" className={rows.wide}>
                      {columns.created}
                    </th>
                    <td />
                  </tr>
                </thead>
                <tbody>
                  {query.data.map((customer) => (
                    <CustomerRow
                      key={customer.id}
                      customer={customer}
                      live={overview?.customers.find(({ id }) => id === customer.id)}
                      onUsers={() => {
                        setUsersOf(customer);
                      }}
                    />
                  ))}
                </tbody>
              </table>
            </div>
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
