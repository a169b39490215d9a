import { useState, type SyntheticEvent } from "react";
import { useCreateCustomerUser, useCustomerUsers, type Customer } from "../../api/queries";
import { passwordLengthMin } from "../../api/limits";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Button } from "../../ui/button";
import { Modal, ModalActions } from "../../ui/modal";
import { FormError, TextField } from "../../ui/text_field";
import styles from "./customers.module.css";

/** Who of a customer may log in, and one more of them. */
export function CustomerUsers({ customer, onClose }: { customer: Customer; onClose: () => void }) {
  const { text, format } = useLanguage();
  const users = useCustomerUsers(customer.id);
  const create = useCreateCustomerUser(customer.id);
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
        },
      },
    );
  };

  return (
    <Modal title={text.customers.usersTitle} lead={customer.name} onClose={onClose}>
      <ul className={styles.users}>
        {users.data?.map((user) => (
          <li key={user.id}>
            <strong>{user.name}</strong>
            <span>
              {user.last_login_at === null
                ? text.customers.neverLoggedIn
                : text.customers.lastLogin(format.moment(new Date(user.last_login_at)))}
            </span>
          </li>
        ))}
        {users.data?.length === 0 && <li>{text.customers.noUsers}</li>}
      </ul>
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
        <FormError message={problemText(create.error ?? users.error, text)} />
        <ModalActions>
          <Button onClick={onClose}>{text.close}</Button>
          <Button look="primary" type="submit" disabled={create.isPending}>
            {create.isPending ? text.customers.creating : text.customers.addUser}
          </Button>
        </ModalActions>
      </form>
    </Modal>
  );
}
