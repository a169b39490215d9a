import type { Schemas } from "../../api/client";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import card from "../../ui/card.module.css";
import styles from "../../ui/rows.module.css";

export type AnyToken = Schemas["Token"] | Schemas["OperatorToken"];

function TokenRow({ token, onRevoke }: { token: AnyToken; onRevoke: () => void }) {
  const { text, format } = useLanguage();
  const isRevoked = token.revoked_at !== null;
  const { columns } = text.tokens;
  const created = new Date(token.created_at);
  const which = text.tokens.createdOn(text.tokens[token.scope], format.moment(created));
  const expires = token.expires_at === null ? text.never : format.date(new Date(token.expires_at));
  return (
    <tr data-testid="token" data-faint={isRevoked || undefined} className={styles.row}>
      <th scope="row">
        {token.name}
        <small className={styles.narrow}>
          {columns.created} {format.moment(created)}, {columns.expires.toLowerCase()} {expires}
        </small>
      </th>
      <td>
        <span className={styles.pill}>{text.tokens[token.scope]}</span>
      </td>
      <td className={styles.wide} title={format.momentInZone(created)}>
        {format.moment(created)}
      </td>
      <td className={styles.wide}>{expires}</td>
      <td className={styles.action}>
        {isRevoked ? (
          <span className={styles.note}>{text.tokens.revoked}</span>
        ) : (
          <Button
            look="dangerQuiet"
            onClick={onRevoke}
            aria-label={text.tokens.revokeLabel(token.name, which)}
          >
            {text.tokens.revoke}
          </Button>
        )}
      </td>
    </tr>
  );
}

/** Tokens of one owner, those that still open a door first. */
export function TokenTable<T extends AnyToken>({
  tokens,
  onRevoke,
}: {
  tokens: readonly T[];
  onRevoke: (token: T) => void;
}) {
  const { text } = useLanguage();
  const columns = text.tokens.columns;
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
            <th scope="col" className={styles.wide}>
              {columns.created}
            </th>
            <th scope="col" className={styles.wide}>
              {columns.expires}
            </th>
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
