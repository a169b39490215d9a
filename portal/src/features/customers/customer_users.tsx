import type { Customer } from "../../api/types";
import { useUsers } from "../users/queries";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import card from "../../ui/card.module.css";
import { Modal } from "../../ui/modal";
import { FormError } from "../../ui/text_field";
import { UserForm } from "../users/user_form";
import { UserList } from "../users/user_list";
import styles from "./customers.module.css";

/** Who of a customer may log in, and one more of them. */
export function CustomerUsers({ customer, onClose }: { customer: Customer; onClose: () => void }) {
  const { text } = useLanguage();
  const users = useUsers(customer.id);
  return (
    <Modal title={text.customers.usersTitle} lead={customer.name} onClose={onClose}>
      <FormError message={problemText(users.error, text)} />
      {users.data !== undefined && (
        <div className={card.card}>
          {users.data.length === 0 ? (
            <p className={styles.noUsers}>{text.customers.noUsers}</p>
          ) : (
            <UserList owner={customer.id} users={users.data} self="" />
          )}
        </div>
      )}
      <UserForm
        owner={customer.id}
        submitLabel={text.customers.addUser}
        closeLabel={text.close}
        onCreated={() => undefined}
        onClose={onClose}
      />
    </Modal>
  );
}
