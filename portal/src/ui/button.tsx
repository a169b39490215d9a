import type { ComponentProps } from "react";
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

export function ButtonLink({
  look = "quiet",
  className,
  children,
  ...rest
}: ComponentProps<"a"> & { look?: Look }) {
  return (
    <a {...rest} className={[styles.button, styles[look], className].filter(Boolean).join(" ")}>
      {children}
    </a>
  );
}
