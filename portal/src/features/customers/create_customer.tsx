import { useState } from "react";
import { ApiError } from "../../api/client";
import { useCreateCustomer } from "./queries";
import { useLanguage, type Language } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { FormModal } from "../../ui/form_modal";
import { TextField } from "../../ui/text_field";
import { MessageLanguageField, NameField } from "./customer_fields";

const idPattern = /^[a-z0-9](-?[a-z0-9]){0,62}$/;

export function CreateCustomer({ onClose }: { onClose: () => void }) {
  const { text, language: own } = useLanguage();
  const create = useCreateCustomer();
  const [id, setId] = useState("");
  const [name, setName] = useState("");
  const [language, setLanguage] = useState<Language>(own);
  const [isChecked, setIsChecked] = useState(false);

  const isIdRight = idPattern.test(id);
  const isTaken = create.error instanceof ApiError && create.error.code === "conflict";
  const idError =
    isChecked && !isIdRight
      ? text.customers.idWrong
      : isTaken && create.variables?.id === id
        ? text.customers.exists
        : undefined;

  const submit = () => {
    setIsChecked(true);
    if (isIdRight) create.mutate({ id, name: name.trim(), language }, { onSuccess: onClose });
  };

  return (
    <FormModal
      title={text.customers.createTitle}
      submit={text.customers.create}
      busy={text.customers.creating}
      isPending={create.isPending}
      error={isTaken ? undefined : problemText(create.error, text)}
      onSubmit={submit}
      onClose={onClose}
    >
      <NameField value={name} onChange={setName} />
      <TextField
        label={text.customers.id}
        hint={text.customers.idHint}
        error={idError}
        required
        maxLength={63}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={id}
        onChange={(event) => {
          setId(event.target.value);
        }}
      />
      <MessageLanguageField value={language} onChange={setLanguage} />
    </FormModal>
  );
}
