import { useState } from "react";
import { ApiError } from "../../api/client";
import { useCreateCustomer } from "./queries";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { FormModal } from "../../ui/form_modal";
import { CustomerFields, newCustomerOf, newDraft } from "./customer_fields";

export function CreateCustomer({ onClose }: { onClose: () => void }) {
  const { text, language } = useLanguage();
  const create = useCreateCustomer();
  const [draft, setDraft] = useState(() => newDraft(language));
  const isTaken = create.error instanceof ApiError && create.error.code === "conflict";
  const isStillTaken = isTaken && create.variables?.id === draft.id;

  return (
    <FormModal
      title={text.customers.createTitle}
      submit={text.customers.create}
      busy={text.customers.creating}
      isPending={create.isPending}
      error={isTaken ? undefined : problemText(create.error, text)}
      onSubmit={() => {
        create.mutate(newCustomerOf(draft), { onSuccess: onClose });
      }}
      onClose={onClose}
    >
      <CustomerFields
        isNew
        draft={draft}
        errors={isStillTaken ? { id: text.customers.exists } : {}}
        onChange={setDraft}
      />
    </FormModal>
  );
}
