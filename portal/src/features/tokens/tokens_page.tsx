import { useState } from "react";
import { useLocation } from "wouter";
import { freshnessOf } from "../../api/freshness_of";
import { useRevokeToken, useTokens } from "./queries";
import type { Session, Token } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import card from "../../ui/card.module.css";
import { CustomerChoice } from "../../ui/customer_choice";
import type { Owner } from "../../api/owner";
import { EmptyState } from "../../ui/empty_state";
import { PageHead } from "../../ui/page_head";
import { ZoneNote } from "../../ui/zone_note";
import { ForCustomer } from "../customers/for_customer";
import { CreateToken } from "./create_token";
import { RevokeToken } from "./revoke_token";
import { TokenTable } from "./token_table";

function TokensOf({ owner, owners }: { owner: Owner; owners: readonly Owner[] }) {
  const { text } = useLanguage();
  const query = useTokens(owner.id);
  const revoke = useRevokeToken(owner.id);
  const [, navigate] = useLocation();
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
        {owners.length > 1 && (
          <CustomerChoice
            owners={owners}
            value={owner.id}
            onChange={(id) => {
              navigate(`/tokens/${id}`);
            }}
          />
        )}
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
      {query.data !== undefined && query.data.length > 0 && <ZoneNote />}
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
          token={revoking}
          revoke={revoke}
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
  return (
    <ForCustomer
      session={session}
      customerId={customerId}
      title={text.tokens.title}
      lead={text.tokens.lead}
      noCustomerHint={text.tokens.noCustomerHint}
    >
      {(owner, owners) => <TokensOf key={owner.id} owner={owner} owners={owners} />}
    </ForCustomer>
  );
}
