import { useState } from "react";
import { useChangeCustomer } from "./queries";
import type { Customer } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { FormModal } from "../../ui/form_modal";
import { changeOf, CustomerFields, draftOf } from "./customer_fields";
import { changedLimits, CustomerLimits, limitsDraftOf } from "./customer_limits";

/** What may be changed of a customer after it was created. */
export function ChangeCustomer({ customer, onClose }: { customer: Customer; onClose: () => void }) {
  const { text } = useLanguage();
  const change = useChangeCustomer(customer.id);
  const [draft, setDraft] = useState(() => draftOf(customer));
  const [limits, setLimits] = useState(() => limitsDraftOf(customer.limits));

  return (
    <FormModal
      title={text.customers.changeTitle}
      lead={customer.id}
      submit={text.changeNode.submit}
      busy={text.changeNode.busy}
      isPending={change.isPending}
      error={problemText(change.error, text)}
      onSubmit={() => {
        const changed = changedLimits(limits, customer.limits);
        const body = { ...changeOf(draft), ...(changed !== undefined && { limits: changed }) };
        change.mutate(body, { onSuccess: onClose });
      }}
      onClose={onClose}
    >
      <CustomerFields isNew={false} draft={draft} onChange={setDraft} />
      <CustomerLimits draft={limits} onChange={setLimits} />
    </FormModal>
  );
}
