import { useState } from "react";
import { useChangeUser, type User } from "./queries";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import styles from "../../ui/entry_list.module.css";
import rows from "../../ui/rows.module.css";
import { FormError } from "../../ui/text_field";
import { NewPassword } from "./new_password";
import { userProblem } from "./user_problem";

function UserEntry({
  user,
  isSelf,
  isBusy,
  onNewPassword,
  onSwitch,
}: {
  user: User;
  isSelf: boolean;
  isBusy: boolean;
  onNewPassword: () => void;
  /** Disables who is enabled, and the other way round. */
  onSwitch: () => void;
}) {
  const { text, format } = useLanguage();
  return (
    <li className={styles.entry} data-testid="user" data-faint={!user.is_enabled || undefined}>
      <div className={styles.words}>
        <p>
          <strong>{user.name}</strong>{" "}
          {!user.is_enabled && <span className={rows.pill}>{text.users.disabled}</span>}
        </p>
        <p className={styles.detail}>
          {user.last_login_at === null
            ? text.customers.neverLoggedIn
            : text.customers.lastLogin(format.moment(new Date(user.last_login_at)))}
        </p>
      </div>
      {!isSelf && (
        <div className={styles.side}>
          <Button
            className={rows.small}
            aria-label={text.users.newPasswordLabel(user.name)}
            onClick={onNewPassword}
          >
            {text.users.newPassword}
          </Button>
          <Button
            look={user.is_enabled ? "dangerQuiet" : "quiet"}
            className={rows.small}
            disabled={isBusy}
            aria-label={
              user.is_enabled
                ? text.users.disableLabel(user.name)
                : text.users.enableLabel(user.name)
            }
            onClick={onSwitch}
          >
            {user.is_enabled ? text.users.disable : text.users.enable}
          </Button>
        </div>
      )}
    </li>
  );
}

/** Who may log in, each with what can be done; `self` is the caller's own name, who changes nothing of theirs here. */
export function UserList({
  owner,
  users,
  self,
}: {
  owner: string | null;
  users: readonly User[];
  self: string;
}) {
  const { text } = useLanguage();
  const change = useChangeUser(owner);
  const [passwordOf, setPasswordOf] = useState<User | null>(null);
  return (
    <>
      <FormError message={userProblem(change.error, text)} />
      <ul>
        {users.map((user) => (
          <UserEntry
            key={user.id}
            user={user}
            isSelf={user.name === self}
            isBusy={change.isPending}
            onNewPassword={() => {
              setPasswordOf(user);
            }}
            onSwitch={() => {
              change.mutate({ id: user.id, is_enabled: !user.is_enabled });
            }}
          />
        ))}
      </ul>
      {passwordOf !== null && (
        <NewPassword
          owner={owner}
          user={passwordOf}
          onClose={() => {
            setPasswordOf(null);
          }}
        />
      )}
    </>
  );
}
