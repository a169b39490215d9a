import { useState, type SyntheticEvent } from "react";
import { useChangeCustomer } from "./queries";
import type { Customer } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Button } from "../../ui/button";
import { Modal, ModalActions } from "../../ui/modal";
import { FormError } from "../../ui/text_field";
import { MessageLanguageField, NameField } from "./customer_fields";

/** What may be changed of a customer after it was created. */
export function ChangeCustomer({ customer, onClose }: { customer: Customer; onClose: () => void }) {
  const { text } = useLanguage();
  const change = useChangeCustomer(customer.id);
  const [name, setName] = useState(customer.name);
  const [language, setLanguage] = useState(customer.language);

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    change.mutate({ name: name.trim(), language }, { onSuccess: onClose });
  };

  return (
    <Modal title={text.customers.changeTitle} lead={customer.id} onClose={onClose}>
      <form onSubmit={submit}>
        <NameField value={name} onChange={setName} />
        <MessageLanguageField value={language} onChange={setLanguage} />
        <FormError message={problemText(change.error, text)} />
        <ModalActions>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button look="primary" type="submit" disabled={change.isPending}>
            {change.isPending ? text.changeNode.busy : text.changeNode.submit}
          </Button>
        </ModalActions>
      </form>
    </Modal>
  );
}
