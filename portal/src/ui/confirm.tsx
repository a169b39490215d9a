import { AlertDialog } from "@base-ui/react/alert-dialog";
import { useLanguage } from "../i18n/language";
import { problemText } from "../i18n/problem_text";
import { Button } from "./button";
import { ModalActions } from "./modal";
import { FormError } from "./text_field";
import modal from "./modal.module.css";

/** Asks before something is done that takes effect at once. */
export function Confirm({
  title,
  question,
  action,
  busy,
  pending,
  onConfirm,
  onClose,
}: {
  title: string;
  question: string;
  action: string;
  /** The words on the button while it is being done. */
  busy: string;
  pending: { isPending: boolean; error: Error | null };
  onConfirm: () => void;
  onClose: () => void;
}) {
  const { text } = useLanguage();
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
          <AlertDialog.Title className={modal.title}>{title}</AlertDialog.Title>
          <AlertDialog.Description className={modal.lead}>{question}</AlertDialog.Description>
          <FormError message={problemText(pending.error, text)} />
          <ModalActions>
            <Button onClick={onClose}>{text.cancel}</Button>
            <Button look="danger" disabled={pending.isPending} onClick={onConfirm}>
              {pending.isPending ? busy : action}
            </Button>
          </ModalActions>
        </AlertDialog.Popup>
      </AlertDialog.Portal>
    </AlertDialog.Root>
  );
}
