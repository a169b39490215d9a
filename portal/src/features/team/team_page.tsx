import { useState } from "react";
import { freshnessOf } from "../../api/freshness_of";
import { useOperatorTokens, useRevokeOperatorToken, type OperatorToken } from "./queries";
import type { Session } from "../../api/types";
import { useUsers } from "../users/queries";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import card from "../../ui/card.module.css";
import { EmptyState } from "../../ui/empty_state";
import { Modal } from "../../ui/modal";
import { PageHead } from "../../ui/page_head";
import section from "../../ui/section_head.module.css";
import { ZoneNote } from "../../ui/zone_note";
import { RevokeToken } from "../tokens/revoke_token";
import { TokenTable } from "../tokens/token_table";
import { UserForm } from "../users/user_form";
import { UserList } from "../users/user_list";
import { CreateOperatorToken } from "./create_operator_token";

function Operators({ self }: { self: string }) {
  const { text } = useLanguage();
  const query = useUsers(null);
  const [isAdding, setIsAdding] = useState(false);
  const close = () => {
    setIsAdding(false);
  };
  return (
    <section className={card.card} aria-labelledby="team-people">
      <header className={section.head}>
        <h2 id="team-people">{text.team.people}</h2>
        <Button
          look="primary"
          onClick={() => {
            setIsAdding(true);
          }}
        >
          {text.team.addPerson}
        </Button>
      </header>
      {query.data !== undefined && <UserList owner={null} users={query.data} self={self} />}
      {isAdding && (
        <Modal title={text.team.addPersonTitle} lead={text.team.addPersonLead} onClose={close}>
          <UserForm
            owner={null}
            submitLabel={text.team.addPerson}
            closeLabel={text.cancel}
            onCreated={close}
            onClose={close}
          />
        </Modal>
      )}
    </section>
  );
}

function OperatorTokens({ query }: { query: ReturnType<typeof useOperatorTokens> }) {
  const { text } = useLanguage();
  const revoke = useRevokeOperatorToken();
  const [isCreating, setIsCreating] = useState(false);
  const [revoking, setRevoking] = useState<OperatorToken | null>(null);
  return (
    <section className={card.card} aria-labelledby="team-tokens">
      <header className={section.head}>
        <h2 id="team-tokens">{text.team.tokens}</h2>
        <Button
          look="primary"
          onClick={() => {
            setIsCreating(true);
          }}
        >
          {text.team.createToken}
        </Button>
      </header>
      {query.data?.length === 0 && (
        <EmptyState title={text.team.noTokens} hint={text.team.noTokensHint} />
      )}
      {query.data !== undefined && query.data.length > 0 && (
        <TokenTable tokens={query.data} onRevoke={setRevoking} />
      )}
      {isCreating && (
        <CreateOperatorToken
          onClose={() => {
            setIsCreating(false);
          }}
        />
      )}
      {revoking !== null && (
        <RevokeToken
          token={revoking}
          revoke={revoke}
          onClose={() => {
            setRevoking(null);
          }}
        />
      )}
    </section>
  );
}

/** The provider's own people and programs. */
export function TeamPage({ session }: { session: Session }) {
  const { text } = useLanguage();
  const tokens = useOperatorTokens();
  return (
    <>
      <PageHead title={text.team.title} lead={text.team.lead} freshness={freshnessOf(tokens)} />
      <Operators self={session.user} />
      <OperatorTokens query={tokens} />
      <ZoneNote />
    </>
  );
}
