import { useEffect, useState } from "react";
import { useLanguage } from "../i18n/language";
import { Button } from "./button";
import styles from "./copy_block.module.css";

type Outcome = "idle" | "copied" | "failed";

const shownMs = 2500;

/** Text to take along, with a button that puts it on the clipboard. */
export function CopyBlock({
  label,
  hint,
  value,
}: {
  label: string;
  /** What has to be known before it is used. */
  hint?: string;
  value: string;
}) {
  const { text } = useLanguage();
  const [outcome, setOutcome] = useState<Outcome>("idle");

  useEffect(() => {
    if (outcome !== "copied") return;
    const timer = setTimeout(() => {
      setOutcome("idle");
    }, shownMs);
    return () => {
      clearTimeout(timer);
    };
  }, [outcome]);

  const copy = async () => {
    try {
      await navigator.clipboard.writeText(value);
      setOutcome("copied");
    } catch {
      // Outside of TLS and localhost the browser offers no clipboard.
      setOutcome("failed");
    }
  };

  return (
    <section className={styles.block} aria-label={label}>
      <header className={styles.head}>
        <span>{label}</span>
        <Button onClick={() => void copy()} className={styles.button}>
          {outcome === "copied" ? text.copied : text.copy}
        </Button>
      </header>
      {hint !== undefined && <p className={styles.hint}>{hint}</p>}
      {/* A long command scrolls sideways, so the keyboard has to be able to reach it. */}
      {/* eslint-disable-next-line jsx-a11y/no-noninteractive-tabindex */}
      <pre className={styles.value} tabIndex={0}>
        {value}
      </pre>
      <p role="status" className={styles.note}>
        {outcome === "failed" ? text.copyFailed : ""}
      </p>
    </section>
  );
}
