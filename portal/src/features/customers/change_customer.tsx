import { useState } from "react";
import { useChangeCustomer } from "./queries";
import type { Customer } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { FormModal } from "../../ui/form_modal";
import { MessageLanguageField, NameField } from "./customer_fields";

/** What may be changed of a customer after it was created. */
export function ChangeCustomer({ customer, onClose }: { customer: Customer; onClose: () => void }) {
  const { text } = useLanguage();
  const change = useChangeCustomer(customer.id);
  const [name, setName] = useState(customer.name);
  const [language, setLanguage] = useState(customer.language);

  const submit = () => {
    change.mutate({ name: name.trim(), language }, { onSuccess: onClose });
  };

  return (
    <FormModal
      title={text.customers.changeTitle}
      lead={customer.id}
      submit={text.changeNode.submit}
      busy={text.changeNode.busy}
      isPending={change.isPending}
      error={problemText(change.error, text)}
      onSubmit={submit}
      onClose={onClose}
    >
      <NameField value={name} onChange={setName} />
      <MessageLanguageField value={language} onChange={setLanguage} />
    </FormModal>
  );
}
