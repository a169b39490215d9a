import { useState } from "react";
import { passwordLengthMin } from "../../api/limits";
import { useCreateUser } from "./queries";
import { useLanguage } from "../../i18n/language";
import { ModalForm } from "../../ui/form_modal";
import { TextField } from "../../ui/text_field";
import { userProblem } from "./user_problem";

/** One more user of an owner; null is the provider. */
export function UserForm({
  owner,
  submitLabel,
  closeLabel,
  onCreated,
  onClose,
}: {
  owner: string | null;
  submitLabel: string;
  closeLabel: string;
  onCreated: () => void;
  onClose: () => void;
}) {
  const { text } = useLanguage();
  const create = useCreateUser(owner);
  const [name, setName] = useState("");
  const [password, setPassword] = useState("");

  const submit = () => {
    create.mutate(
      { name: name.trim(), password },
      {
        onSuccess: () => {
          setName("");
          setPassword("");
          onCreated();
        },
      },
    );
  };

  return (
    <ModalForm
      submit={submitLabel}
      busy={text.customers.creating}
      leave={closeLabel}
      isPending={create.isPending}
      error={userProblem(create.error, text)}
      onSubmit={submit}
      onClose={onClose}
    >
      <TextField
        label={text.login.user}
        required
        pattern=".*\S.*"
        maxLength={128}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={name}
        onChange={(event) => {
          setName(event.target.value);
        }}
      />
      <TextField
        label={text.login.password}
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
    </ModalForm>
  );
}
