import { useState, type SyntheticEvent } from "react";
import { passwordLengthMin } from "../../api/limits";
import { useChangeUser, type User } from "./queries";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import { Modal, ModalActions } from "../../ui/modal";
import { FormError, TextField } from "../../ui/text_field";
import { userProblem } from "./user_problem";

/** For somebody who has forgotten theirs. */
export function NewPassword({
  owner,
  user,
  onClose,
}: {
  owner: string | null;
  user: User;
  onClose: () => void;
}) {
  const { text } = useLanguage();
  const change = useChangeUser(owner);
  const [password, setPassword] = useState("");

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    // Rendered inside of another form's dialog: its form must not hear of this one.
    event.stopPropagation();
    change.mutate({ id: user.id, password }, { onSuccess: onClose });
  };

  return (
    <Modal
      title={text.users.newPassword}
      lead={text.users.newPasswordLead(user.name)}
      onClose={onClose}
    >
      <form onSubmit={submit}>
        <TextField
          label={text.password.next}
          hint={text.password.hint(passwordLengthMin)}
          type="password"
          required
          minLength={passwordLengthMin}
          maxLength={1024}
          autoComplete="new-password"
          value={password}
          onChange={(event) => {
            setPassword(event.target.value);
          }}
        />
        <FormError message={userProblem(change.error, text)} />
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
