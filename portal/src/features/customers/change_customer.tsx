import { useState } from "react";
import { useChangeCustomer } from "./queries";
import type { Customer } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { FormModal } from "../../ui/form_modal";
import { changeOf, CustomerFields, draftOf } from "./customer_fields";

/** What may be changed of a customer after it was created. */
export function ChangeCustomer({ customer, onClose }: { customer: Customer; onClose: () => void }) {
  const { text } = useLanguage();
  const change = useChangeCustomer(customer.id);
  const [draft, setDraft] = useState(() => draftOf(customer));

  return (
    <FormModal
      title={text.customers.changeTitle}
      lead={customer.id}
      submit={text.changeNode.submit}
      busy={text.changeNode.busy}
      isPending={change.isPending}
      error={problemText(change.error, text)}
      onSubmit={() => {
        change.mutate(changeOf(draft), { onSuccess: onClose });
      }}
      onClose={onClose}
    >
      <CustomerFields isNew={false} draft={draft} onChange={setDraft} />
    </FormModal>
  );
}
