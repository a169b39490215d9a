import { useEffect, useState, type SyntheticEvent } from "react";
import { ApiError } from "../../api/client";
import { useHasSessionEnded } from "../../api/session";
import { useLogIn } from "./queries";
import { useLanguage, type Dictionary } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { LanguageSwitch } from "../../ui/language_switch";
import { Logo } from "../../ui/logo";
import { Button } from "../../ui/button";
import { FormError, TextField } from "../../ui/text_field";
import styles from "./login_page.module.css";

/** The words for a log-in that failed; undefined while none did. */
export function loginProblem(error: Error | null, text: Dictionary): string | undefined {
  if (error === null) return undefined;
  if (error instanceof ApiError && error.code === "unauthenticated") return text.login.wrong;
  if (error instanceof ApiError && error.code === "over_limit") return text.login.throttled;
  return problemText(error, text);
}

export function LoginPage() {
  const { text } = useLanguage();
  const logIn = useLogIn();
  const hasEnded = useHasSessionEnded();
  useEffect(() => {
    document.title = `${text.login.title} · Vigía`;
    return () => {
      document.title = "Vigía";
    };
  }, [text]);
  const [user, setUser] = useState("");
  const [password, setPassword] = useState("");

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    logIn.mutate({ user, password });
  };

  return (
    <div className={styles.page}>
      <header className={styles.language}>
        <LanguageSwitch />
      </header>
      <main className={styles.card}>
        <div className={styles.brand}>
          <Logo className={styles.logo} />
          <h1>Vigía</h1>
          <p>{text.login.lead}</p>
        </div>
        <form onSubmit={submit} className={styles.form} aria-label={text.login.title}>
          {hasEnded && (
            <p role="status" className={styles.ended} data-testid="session-ended">
              {text.login.ended}
            </p>
          )}
          <TextField
            label={text.login.user}
            name="user"
            autoComplete="username"
            autoCapitalize="none"
            spellCheck={false}
            required
            maxLength={128}
            value={user}
            onChange={(event) => {
              setUser(event.target.value);
            }}
          />
          <TextField
            label={text.login.password}
            name="password"
            type="password"
            autoComplete="current-password"
            required
            maxLength={1024}
            value={password}
            onChange={(event) => {
              setPassword(event.target.value);
            }}
          />
          <FormError message={loginProblem(logIn.error, text)} />
          <Button look="primary" type="submit" disabled={logIn.isPending}>
            {logIn.isPending ? text.login.busy : text.login.submit}
          </Button>
        </form>
      </main>
    </div>
  );
}
