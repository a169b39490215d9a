import { useState } from "react";
import { useCreateToken } from "./queries";
import { useSystem } from "../../live/queries";
import type { CreatedToken, Scope } from "../../api/types";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Button } from "../../ui/button";
import { ChoiceCards } from "../../ui/choice_cards";
import { CopyBlock } from "../../ui/copy_block";
import { FormModal } from "../../ui/form_modal";
import { Modal, ModalActions } from "../../ui/modal";
import { TextField } from "../../ui/text_field";
import { agentCommand, nodeNameFrom, queryCommand, sdkCommand } from "./commands";

interface CreateTokenProps {
  customer: { id: string; name: string };
  onClose: () => void;
}

function TokenShown({ created, customer, onClose }: CreateTokenProps & { created: CreatedToken }) {
  const { text } = useLanguage();
  const system = useSystem();
  return (
    <Modal
      title={text.tokens.createdTitle}
      lead={text.tokens.createdWarning}
      isSealed
      onClose={onClose}
    >
      <CopyBlock label={text.tokens.token} value={created.token} />
      {created.scope === "ingest" ? (
        <>
          <CopyBlock
            label={text.tokens.agentCommand}
            value={agentCommand(
              customer,
              { id: nodeNameFrom(created.name), region: "", environment: "", address: "" },
              created.token,
              system.data,
            )}
          />
          <CopyBlock
            label={text.tokens.sdkCommand}
            hint={text.tokens.sdkHint}
            value={sdkCommand(customer.id, created.token, system.data)}
          />
        </>
      ) : (
        <CopyBlock
          label={text.tokens.queryCommand}
          value={queryCommand(created.token, system.data)}
        />
      )}
      <ModalActions>
        <Button look="primary" onClick={onClose}>
          {text.tokens.done}
        </Button>
      </ModalActions>
    </Modal>
  );
}

export function CreateToken({ customer, onClose }: CreateTokenProps) {
  const { text } = useLanguage();
  const create = useCreateToken(customer.id);
  const [name, setName] = useState("");
  const [scope, setScope] = useState<Scope>("ingest");

  if (create.data !== undefined) {
    return <TokenShown created={create.data} customer={customer} onClose={onClose} />;
  }

  const submit = () => {
    create.mutate({ name: name.trim(), scope });
  };

  return (
    <FormModal
      title={text.tokens.createTitle}
      lead={customer.name}
      submit={text.tokens.create}
      busy={text.tokens.creating}
      isPending={create.isPending}
      error={problemText(create.error, text)}
      onSubmit={submit}
      onClose={onClose}
    >
      <ChoiceCards
        label={text.tokens.scope}
        value={scope}
        onChange={setScope}
        choices={[
          { value: "ingest", label: text.tokens.ingest, hint: text.tokens.ingestHint },
          { value: "read", label: text.tokens.read, hint: text.tokens.readHint },
        ]}
      />
      <TextField
        label={text.tokens.note}
        hint={text.tokens.noteHint}
        required
        pattern=".*\S.*"
        maxLength={200}
        autoComplete="off"
        value={name}
        onChange={(event) => {
          setName(event.target.value);
        }}
      />
    </FormModal>
  );
}
