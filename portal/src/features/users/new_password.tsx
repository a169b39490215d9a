import { useState } from "react";
import { passwordLengthMin } from "../../api/limits";
import { useChangeUser, type User } from "./queries";
import { useLanguage } from "../../i18n/language";
import { FormModal } from "../../ui/form_modal";
import { TextField } from "../../ui/text_field";
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

  const submit = () => {
    change.mutate({ id: user.id, password }, { onSuccess: onClose });
  };

  return (
    <FormModal
      title={text.users.newPassword}
      lead={text.users.newPasswordLead(user.name)}

      submit={text.password.submit}
      isPending={change.isPending}
      error={userProblem(change.error, text)}
      onSubmit={submit}
      onClose={onClose}
    >
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
    </FormModal>
  );
}
