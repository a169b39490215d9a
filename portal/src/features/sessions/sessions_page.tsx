import { freshnessOf } from "../../api/freshness_of";
import { useClockOffsetMs } from "../../live/queries";
import { useEndSession, useOwnSessions, type OwnSession } from "./queries";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Ago } from "../../ui/ago";
import { Button } from "../../ui/button";
import card from "../../ui/card.module.css";
import { EmptyState } from "../../ui/empty_state";
import styles from "../../ui/entry_list.module.css";
import { PageHead } from "../../ui/page_head";
import rows from "../../ui/rows.module.css";
import { FormError } from "../../ui/text_field";
import { ZoneNote } from "../../ui/zone_note";
import { hostOf } from "../audit/audit_words";
import { browserOf } from "./browser_name";

function SessionEntry({ session, onEnd }: { session: OwnSession; onEnd: () => void }) {
  const { text, format } = useLanguage();
  const offsetMs = useClockOffsetMs();
  const { browser, system } = browserOf(session.user_agent ?? "");
  const program = browser ?? text.sessions.unknownBrowser;
  const address = hostOf(session.address);
  const created = new Date(session.created_at);
  const opened = text.sessions.opened(format.moment(created));
  return (
    <li className={styles.entry} data-testid="session">
      <div className={styles.words}>
        <p title={session.user_agent}>
          <strong>{system === null ? program : text.sessions.on(program, system)}</strong>{" "}
          {session.is_current && <span className={rows.pill}>{text.sessions.current}</span>}
        </p>
        <p className={styles.detail}>
          <span>{text.audit.from(address)}</span>
          <span title={format.momentInZone(created)}>{opened}</span>
          <span>
            {text.sessions.lastUsed}{" "}
            <Ago moment={new Date(session.last_used_at)} clockOffsetMs={offsetMs} />
          </span>
        </p>
      </div>
      {!session.is_current && (
        <div className={styles.side}>
          <Button
            look="dangerQuiet"
            onClick={onEnd}
            aria-label={text.sessions.endLabel(address, opened)}
          >
            {text.sessions.end}
          </Button>
        </div>
      )}
    </li>
  );
}

export function SessionsPage() {
  const { text } = useLanguage();
  const query = useOwnSessions();
  const end = useEndSession();
  return (
    <>
      <PageHead
        title={text.sessions.title}
        lead={text.sessions.lead}
        freshness={freshnessOf(query)}
      />
      <FormError message={problemText(end.error, text)} />
      {query.data !== undefined && (
        <div className={card.card}>
          {query.data.length === 0 ? (
            <EmptyState title={text.sessions.empty} hint={text.sessions.emptyHint} />
          ) : (
            <ul>
              {query.data.map((session) => (
                <SessionEntry
                  key={session.id}
                  session={session}
                  onEnd={() => {
                    end.mutate(session.id);
                  }}
                />
              ))}
            </ul>
          )}
        </div>
      )}
      {query.data !== undefined && query.data.length > 0 && <ZoneNote />}
    </>
  );
}
