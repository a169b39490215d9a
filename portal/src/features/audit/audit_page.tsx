import { useState } from "react";
import { useAudit, useVerifyAudit, type AuditEntry } from "./queries";
import { freshnessOf } from "../../api/freshness_of";
import { customerFieldLabel } from "../customers/customer_fields";
import { useCustomers } from "../customers/queries";
import type { Session } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Button } from "../../ui/button";
import card from "../../ui/card.module.css";
import { CustomerChoice } from "../../ui/customer_choice";
import { EmptyState } from "../../ui/empty_state";
import entries from "../../ui/entry_list.module.css";
import { PageHead } from "../../ui/page_head";
import { FormError } from "../../ui/text_field";
import { ZoneNote } from "../../ui/zone_note";
import { actionWords, actorOf, detailOf, hostOf, objectOf, repeatsOf } from "./audit_words";
import styles from "./audit.module.css";

function Entry({ entry, customer }: { entry: AuditEntry; customer: string | null }) {
  const { text, format, language } = useLanguage();
  const actor = actorOf(entry.actor, text);
  const object = objectOf(entry);
  const repeats = repeatsOf(entry);
  const detail =
    repeats === null
      ? detailOf(entry, customer, text, (name) => customerFieldLabel(name, language))
      : text.audit.repeated(format.whole(repeats.times), format.clock(repeats.since));
  const time = new Date(entry.time);
  return (
    <li className={`${entries.entry} ${styles.entry}`} data-testid="audit-entry">
      <div className={entries.words}>
        <p>
          <strong>{actor.name}</strong>{" "}
          {actor.kind !== null && <span className={styles.kind}>({actor.kind})</span>}{" "}
          {actionWords(entry.action, text)} {object !== null && <code>{object}</code>}
        </p>
        <p className={entries.detail}>
          {customer !== null && <span>{customer}</span>}
          {detail !== null && <span>{detail}</span>}
          {entry.address !== undefined && entry.address !== "" && (
            <span>{text.audit.from(hostOf(entry.address))}</span>
          )}
        </p>
      </div>
      <time dateTime={entry.time} className={styles.time}>
        {format.moment(time)}
        <small>#{entry.sequence}</small>
      </time>
    </li>
  );
}

function Verification() {
  const { text, format } = useLanguage();
  const verify = useVerifyAudit();
  const outcome = verify.data;
  return (
    <>
      <Button
        disabled={verify.isPending}
        onClick={() => {
          verify.mutate();
        }}
      >
        {verify.isPending ? text.audit.verifying : text.audit.verify}
      </Button>
      <div role="status" className={styles.outcome}>
        {outcome?.is_intact === true && (
          <p className={styles.intact}>{text.audit.intact(format.whole(outcome.entries))}</p>
        )}
        {outcome?.broken_at != null && (
          <p className={styles.broken}>{text.audit.broken(format.whole(outcome.broken_at))}</p>
        )}
      </div>
      <FormError message={problemText(verify.error, text)} />
    </>
  );
}

export function AuditPage({ session }: { session: Session }) {
  const { text } = useLanguage();
  const isOperator = session.role === "operator";
  const customers = useCustomers().data ?? [];
  const [customerId, setCustomerId] = useState(session.customer_id ?? "");
  const query = useAudit(customerId);
  const shown = query.data?.pages.flatMap((page) => page.entries);
  const nameOf = (id: string) => customers.find((one) => one.id === id)?.name ?? id;
  const lead = isOperator ? `${text.audit.lead} ${text.audit.leadVerify}` : text.audit.lead;
  return (
    <>
      <PageHead title={text.audit.title} lead={lead} freshness={freshnessOf(query)}>
        {isOperator && (
          <>
            <CustomerChoice
              owners={customers}
              value={customerId}
              everybody={text.audit.everybody}
              onChange={setCustomerId}
            />
            <Verification />
          </>
        )}
      </PageHead>
      {shown !== undefined && (
        <div className={card.card}>
          {shown.length === 0 ? (
            <EmptyState title={text.audit.empty} hint={text.audit.emptyHint} />
          ) : (
            <ul>
              {shown.map((entry) => (
                <Entry
                  key={entry.sequence}
                  entry={entry}
                  customer={
                    isOperator && entry.customer_id !== null ? nameOf(entry.customer_id) : null
                  }
                />
              ))}
            </ul>
          )}
        </div>
      )}
      {shown !== undefined && shown.length > 0 && <ZoneNote />}
      {query.hasNextPage && (
        <Button
          className={styles.older}
          disabled={query.isFetchingNextPage}
          onClick={() => void query.fetchNextPage()}
        >
          {query.isFetchingNextPage ? text.audit.loadingOlder : text.audit.older}
        </Button>
      )}
    </>
  );
}
