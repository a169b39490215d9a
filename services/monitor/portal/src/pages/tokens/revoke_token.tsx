import type { UseMutationResult } from "@tanstack/react-query";
import { useLanguage } from "../../i18n/language";
import { Confirm } from "../../ui/confirm";

/** Asks before it is done, because it cannot be undone. */
export function RevokeToken({
  token,
  revoke,
  onClose,
}: {
  token: { id: string; name: string };
  revoke: UseMutationResult<unknown, Error, string>;
  onClose: () => void;
}) {
  const { text } = useLanguage();
  const close = () => {
    revoke.reset();
    onClose();
  };
  return (
    <Confirm
      title={text.tokens.revokeTitle}
      question={text.tokens.revokeText(token.name)}
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
