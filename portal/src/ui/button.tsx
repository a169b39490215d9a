import type { ComponentProps } from "react";
import { Link } from "wouter";
import styles from "./button.module.css";

type Look = "primary" | "quiet" | "danger" | "dangerQuiet";

export function Button({
  look = "quiet",
  className,
  ...rest
}: ComponentProps<"button"> & { look?: Look }) {
  return (
    <button
      type="button"
      {...rest}
      className={[styles.button, styles[look], className].filter(Boolean).join(" ")}
    />
  );
}

/** A page of ours that looks like a button. */
export function ButtonLink({
  look = "quiet",
  className,
  children,
  ...rest
}: ComponentProps<"a"> & { href: string; look?: Look }) {
  return (
    <Link {...rest} className={[styles.button, styles[look], className].filter(Boolean).join(" ")}>
      {children}
    </Link>
  );
}
