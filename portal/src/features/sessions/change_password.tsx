import { useState } from "react";
import { ApiError } from "../../api/client";
import { passwordLengthMin } from "../../api/limits";
import { useChangePassword } from "./queries";
import { useLanguage, type Dictionary } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Button } from "../../ui/button";
import { FormModal } from "../../ui/form_modal";
import { Modal, ModalActions } from "../../ui/modal";
import { TextField } from "../../ui/text_field";

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

  const submit = () => {
    change.mutate({ current, next });
  };

  return (
    <FormModal
      title={text.password.title}
      lead={text.password.lead}
      submit={text.password.submit}
      isPending={change.isPending}
      error={passwordProblem(change.error, text)}
      onSubmit={submit}
      onClose={onClose}
    >
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
    </FormModal>
  );
}
