import type { ComponentProps, ReactNode, SyntheticEvent } from "react";
import { useLanguage } from "../i18n/language";
import { Button } from "./button";
import { Modal, ModalActions } from "./modal";
import { FormError } from "./text_field";

interface FormProps {
  /** The words on its button, and those while it is being sent. */
  submit: string;
  busy?: string;
  /** The words on the button that leaves it; “Cancel” where none are given. */
  leave?: string;
  isPending: boolean;
  /** What is wrong, where it is not shown at a field. */
  error: string | undefined;
  /** Called when the fields hold what they must, never while it is being sent. */
  onSubmit: () => void;
  onClose: () => void;
  children: ReactNode;
}

/** The fields of a dialog, what is wrong with them, and its two buttons. */
export function ModalForm({
  submit,
  busy = submit,
  leave,
  isPending,
  error,
  onSubmit,
  onClose,
  children,
}: FormProps) {
  const { text } = useLanguage();
  const send = (event: SyntheticEvent) => {
    event.preventDefault();
    // A dialog may be opened from within another one's form, which must not hear of this one.
    event.stopPropagation();
    if (!isPending) onSubmit();
  };
  return (
    <form onSubmit={send} aria-busy={isPending}>
      {children}
      <FormError message={error} />
      <ModalActions>
        <Button onClick={onClose}>{leave ?? text.cancel}</Button>
        <Button look="primary" type="submit" disabled={isPending}>
          {isPending ? busy : submit}
        </Button>
      </ModalActions>
    </form>
  );
}

/** A dialog that is one form: every dialog that asks for something. Focus, Escape and what was typed are `Modal`'s. */
export function FormModal({
  title,
  lead,
  ...form
}: Pick<ComponentProps<typeof Modal>, "title" | "lead"> & FormProps) {
  return (
    <Modal title={title} {...(lead !== undefined && { lead })} onClose={form.onClose}>
      <ModalForm {...form} />
    </Modal>
  );
}
