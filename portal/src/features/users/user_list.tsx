import { useState } from "react";
import { useChangeUser, type User } from "./queries";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import styles from "../../ui/entry_list.module.css";
import rows from "../../ui/rows.module.css";
import { FormError } from "../../ui/text_field";
import { NewPassword } from "./new_password";
import { userProblem } from "./user_problem";

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
  const { text, format } = useLanguage();
  const change = useChangeUser(owner);
  const [passwordOf, setPasswordOf] = useState<User | null>(null);
  return (
    <>
      <FormError message={userProblem(change.error, text)} />
      <ul>
        {users.map((user) => (
          <li
            key={user.id}
            className={styles.entry}
            data-testid="user"
            data-faint={!user.is_enabled || undefined}
          >
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
            {user.name !== self && (
              <div className={styles.side}>
                <Button
                  className={rows.small}
                  aria-label={text.users.newPasswordLabel(user.name)}
                  onClick={() => {
                    setPasswordOf(user);
                  }}
                >
                  {text.users.newPassword}
                </Button>
                <Button
                  look={user.is_enabled ? "dangerQuiet" : "quiet"}
                  className={rows.small}
                  disabled={change.isPending}
                  aria-label={
                    user.is_enabled
                      ? text.users.disableLabel(user.name)
                      : text.users.enableLabel(user.name)
                  }
                  onClick={() => {
                    change.mutate({ id: user.id, is_enabled: !user.is_enabled });
                  }}
                >
                  {user.is_enabled ? text.users.disable : text.users.enable}
                </Button>
              </div>
            )}
          </li>
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
