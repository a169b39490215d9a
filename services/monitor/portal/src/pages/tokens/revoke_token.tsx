import { AlertDialog } from "@base-ui/react/alert-dialog";
import { useRevokeToken, type Token } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Button } from "../../ui/button";
import { ModalActions } from "../../ui/modal";
import { FormError } from "../../ui/text_field";
import modal from "../../ui/modal.module.css";

/** Asks before it is done, because it cannot be undone. */
export function RevokeToken({
  customerId,
  token,
  onClose,
}: {
  customerId: string;
  token: Token;
  onClose: () => void;
}) {
  const { text } = useLanguage();
  const revoke = useRevokeToken(customerId);
  return (
    <AlertDialog.Root
      open
      onOpenChange={(open) => {
        if (!open) onClose();
      }}
    >
      <AlertDialog.Portal>
        <AlertDialog.Backdrop className={modal.backdrop} />
        <AlertDialog.Popup className={modal.popup}>
          <AlertDialog.Title className={modal.title}>{text.tokens.revokeTitle}</AlertDialog.Title>
          <AlertDialog.Description className={modal.lead}>
            {text.tokens.revokeText(token.name)}
          </AlertDialog.Description>
          <FormError message={problemText(revoke.error, text)} />
          <ModalActions>
            <Button onClick={onClose}>{text.cancel}</Button>
            <Button
              look="danger"
              disabled={revoke.isPending}
              onClick={() => {
                revoke.mutate(token.id, { onSuccess: onClose });
              }}
            >
              {revoke.isPending ? text.tokens.revoking : text.tokens.revoke}
            </Button>
          </ModalActions>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
