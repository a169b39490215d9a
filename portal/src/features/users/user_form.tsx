import { useState, type SyntheticEvent } from "react";
import { passwordLengthMin } from "../../api/limits";
import { useCreateUser } from "./queries";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import { ModalActions } from "../../ui/modal";
import { FormError, TextField } from "../../ui/text_field";
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

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
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
    <form onSubmit={submit}>
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
      <FormError message={userProblem(create.error, text)} />
      <ModalActions>
        <Button onClick={onClose}>{closeLabel}</Button>
        <Button look="primary" type="submit" disabled={create.isPending}>
          {create.isPending ? text.customers.creating : submitLabel}
        </Button>
      </ModalActions>
    </form>
  );
}
