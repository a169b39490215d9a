import { useState, type SyntheticEvent } from "react";
import { ApiError } from "../../api/client";
import { passwordLengthMin } from "../../api/limits";
import { useChangePassword } from "./queries";
import { useLanguage, type Dictionary } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Button } from "../../ui/button";
import { Modal, ModalActions } from "../../ui/modal";
import { FormError, TextField } from "../../ui/text_field";

function passwordProblem(error: Error | null, text: Dictionary): string | undefined {
  if (error instanceof ApiError && error.code === "forbidden") return text.password.wrong;
  if (error instanceof ApiError && error.code === "over_limit") return text.login.throttled;
  return problemText(error, text);
}

export function ChangePassword({ onClose }: { onClose: () => void }) {
  const { text } = useLanguage();
  const change = useChangePassword();
  const [current, setCurrent] = useState("");
  const [next, setNext] = useState("");

  if (change.isSuccess) {
    return (
      <Modal title={text.password.title} lead={text.password.done} onClose={onClose}>
        <ModalActions>
          <Button look="primary" onClick={onClose}>
            {text.close}
          </Button>
        </ModalActions>
      </Modal>
    );
  }

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    change.mutate({ current, next });
  };

  return (
    <Modal title={text.password.title} lead={text.password.lead} onClose={onClose}>
      <form onSubmit={submit}>
        <TextField
          label={text.password.current}
          type="password"
          autoComplete="current-password"
          required
          maxLength={1024}
          value={current}
          onChange={(event) => {
            setCurrent(event.target.value);
          }}
        />
        <TextField
          label={text.password.next}
          hint={text.password.hint(passwordLengthMin)}
          type="password"
          autoComplete="new-password"
          required
          minLength={passwordLengthMin}
          maxLength={1024}
          value={next}
          onChange={(event) => {
            setNext(event.target.value);
          }}
        />
        <FormError message={passwordProblem(change.error, text)} />
        <ModalActions>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button look="primary" type="submit" disabled={change.isPending}>
            {text.password.submit}
          </Button>
        </ModalActions>
      </form>
    </Modal>
  );
}
