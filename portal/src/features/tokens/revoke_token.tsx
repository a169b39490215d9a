import type { UseMutationResult } from "@tanstack/react-query";
import { useLanguage } from "../../i18n/language";
import { Confirm } from "../../ui/confirm";
import type { AnyToken } from "./token_table";

/** Asks before it is done, because it cannot be undone. */
export function RevokeToken({
  token,
  revoke,
  onClose,
}: {
  token: AnyToken;
  revoke: UseMutationResult<unknown, Error, string>;
  onClose: () => void;
}) {
  const { text, format } = useLanguage();
  const created = format.moment(new Date(token.created_at));
  const which = text.tokens.createdOn(text.tokens[token.scope], created);
  const close = () => {
    revoke.reset();
    onClose();
  };
  return (
    <Confirm
      title={text.tokens.revokeTitle}
      question={text.tokens.revokeText(token.name, which)}
      action={text.tokens.revoke}
      busy={text.tokens.revoking}
      pending={revoke}
      onConfirm={() => {
        revoke.mutate(token.id, { onSuccess: close });
      }}
      onClose={close}
    />
  );
}
