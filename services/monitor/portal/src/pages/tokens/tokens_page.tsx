import { useState } from "react";
import { useLocation } from "wouter";
import { freshnessOf } from "../../api/freshness_of";
import { useCustomers, useTokens, type Session, type Token } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import { Button, ButtonLink } from "../../ui/button";
import card from "../../ui/card.module.css";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";
import { CreateToken } from "./create_token";
import { RevokeToken } from "./revoke_token";
import styles from "./tokens.module.css";

interface Owner {
  id: string;
  name: string;
}

function TokenRow({ token, onRevoke }: { token: Token; onRevoke: () => void }) {
  const { text, format } = useLanguage();
  const isRevoked = token.revoked_at !== null;
  const created = new Date(token.created_at);
  return (
    <tr data-testid="token" data-revoked={isRevoked || undefined} className={styles.row}>
      <th scope="row">{token.name}</th>
      <td>
        <span className={styles.scope}>{text.tokens[token.scope]}</span>
      </td>
      <td title={format.moment(created)}>{format.date(created)}</td>
      <td>{token.expires_at === null ? text.never : format.date(new Date(token.expires_at))}</td>
      <td className={styles.action}>
        {isRevoked ? (
          <span className={styles.revoked}>{text.tokens.revoked}</span>
        ) : (
          <Button
            look="dangerQuiet"
            onClick={onRevoke}
            aria-label={text.tokens.revokeLabel(token.name)}
          >
            {text.tokens.revoke}
          </Button>
        )}
      </td>
    </tr>
  );
}

function TokenTable({ tokens, onRevoke }: { tokens: Token[]; onRevoke: (token: Token) => void }) {
  const { text } = useLanguage();
  const columns = text.tokens.columns;
  // Revoked ones stay to be seen, but below those that still open a door.
  const ordered = [...tokens].sort(
    (a, b) => Number(a.revoked_at !== null) - Number(b.revoked_at !== null),
  );
  return (
    <div className={card.scroll}>
      <table className={card.table}>
        <thead>
          <tr>
            <th scope="col">{columns.note}</th>
            <th scope="col">{columns.scope}</th>
            <th scope="col">{columns.created}</th>
            <th scope="col">{columns.expires}</th>
            <td />
          </tr>
        </thead>
        <tbody>
          {ordered.map((token) => (
            <TokenRow
              key={token.id}
              token={token}
              onRevoke={() => {
                onRevoke(token);
              }}
            />
          ))}
        </tbody>
      </table>
    </div>
  );
}

function CustomerChoice({ owners, value }: { owners: readonly Owner[]; value: string }) {
  const { text } = useLanguage();
  const [, navigate] = useLocation();
  return (
    <label className={styles.choice}>
      {text.tokens.customer}
      <select
        value={value}
        onChange={(event) => {
          navigate(`/tokens/${event.target.value}`);
        }}
      >
        {owners.map(({ id, name }) => (
          <option key={id} value={id}>
            {name}
          </option>
        ))}
      </select>
    </label>
  );
}

function TokensOf({ owner, owners }: { owner: Owner; owners: readonly Owner[] }) {
  const { text } = useLanguage();
  const query = useTokens(owner.id);
  const [isCreating, setIsCreating] = useState(false);
  const [revoking, setRevoking] = useState<Token | null>(null);
  const create = (
    <Button
      look="primary"
      onClick={() => {
        setIsCreating(true);
      }}
    >
      {text.tokens.create}
    </Button>
  );
  return (
    <>
      <PageHead title={text.tokens.title} lead={text.tokens.lead} freshness={freshnessOf(query)}>
        {owners.length > 1 && <CustomerChoice owners={owners} value={owner.id} />}
        {create}
      </PageHead>
      {query.data !== undefined && (
        <div className={card.card}>
          {query.data.length === 0 ? (
            <EmptyState title={text.tokens.empty} hint={text.tokens.emptyHint} />
          ) : (
            <TokenTable tokens={query.data} onRevoke={setRevoking} />
          )}
        </div>
      )}
      {isCreating && (
        <CreateToken
          customer={owner}
          onClose={() => {
            setIsCreating(false);
          }}
        />
      )}
      {revoking !== null && (
        <RevokeToken
          customerId={owner.id}
          token={revoking}
          onClose={() => {
            setRevoking(null);
          }}
        />
      )}
    </>
  );
}

export function TokensPage({
  session,
  customerId,
}: {
  session: Session;
  customerId: string | null;
}) {
  const { text } = useLanguage();
  const query = useCustomers();
  const owners = query.data ?? [];
  const wanted = session.customer_id ?? customerId;
  const owner = owners.find(({ id }) => id === wanted) ?? owners[0];
  if (owner !== undefined) return <TokensOf key={owner.id} owner={owner} owners={owners} />;
  return (
    <>
      <PageHead title={text.tokens.title} lead={text.tokens.lead} freshness={freshnessOf(query)} />
      {query.data !== undefined && (
        <div className={card.card}>
          <EmptyState title={text.tokens.noCustomer} hint={text.tokens.noCustomerHint}>
            <ButtonLink href="#/customers" look="primary">
              {text.customers.create}
            </ButtonLink>
          </EmptyState>
        </div>
      )}
    </>
  );
}
