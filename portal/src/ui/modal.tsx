import { Dialog } from "@base-ui/react/dialog";
import { useRef, useState, type ReactNode } from "react";
import { useLanguage } from "../i18n/language";
import styles from "./modal.module.css";

/** Where one begins: of a group of choices the one that is chosen. */
const firstField =
  "input:not([type=radio]):enabled, input[type=radio]:checked:enabled, select:enabled";

/** False after a form that stays open was sent and emptied. */
function hasText(popup: HTMLElement | null): boolean {
  const fields = popup?.querySelectorAll<HTMLInputElement>("input:not([type=radio])") ?? [];
  return [...fields].some(({ value }) => value !== "");
}

/**
 * A dialog over the page; focus goes in and comes back by itself. Escape closes it until something was typed. `isSealed`, for what cannot be shown
 * twice, keeps it open against a stray click or key: only its own button closes it.
 */
export function Modal({
  title,
  lead,
  isSealed = false,
  onClose,
  children,
}: {
  title: string;
  lead?: string;
  isSealed?: boolean;
  onClose: () => void;
  children: ReactNode;
}) {
  const { text } = useLanguage();
  const popup = useRef<HTMLDivElement>(null);
  const hasTyped = useRef(false);
  const [isKept, setIsKept] = useState(false);
  return (
    <Dialog.Root
      open
      disablePointerDismissal={isSealed}
      onOpenChange={(open, { reason }) => {
        if (open || isSealed) return;
        const isLost = hasTyped.current && hasText(popup.current);
        if (isLost && reason !== "close-press") setIsKept(true);
        else onClose();
      }}
    >
      <Dialog.Portal>
        <Dialog.Backdrop className={styles.backdrop} />
        <Dialog.Popup
          ref={popup}
          className={styles.popup}
          initialFocus={() => popup.current?.querySelector<HTMLElement>(firstField) ?? true}
          onInput={() => {
            hasTyped.current = true;
            setIsKept(false);
          }}
        >
          <header className={styles.head}>
            <Dialog.Title className={styles.title}>{title}</Dialog.Title>
            {!isSealed && (
              <Dialog.Close className={styles.close} aria-label={text.close}>
                <svg viewBox="0 0 16 16" aria-hidden="true">
                  <path d="m3.500 3.500 9 9m0-9-9 9" />
                </svg>
              </Dialog.Close>
            )}
          </header>
          {lead !== undefined && (
            <Dialog.Description className={styles.lead}>{lead}</Dialog.Description>
          )}
          {children}
          <p role="status" className={styles.kept}>
            {isKept && text.typedIsKept}
          </p>
        </Dialog.Popup>
      </Dialog.Portal>
    </Dialog.Root>
  );
}

export function ModalActions({ children }: { children: ReactNode }) {
  return <footer className={styles.actions}>{children}</footer>;
}
