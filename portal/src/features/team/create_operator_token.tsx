import { useState } from "react";
import { useCreateOperatorToken, type OperatorScope } from "./queries";
import { useSystem } from "../../live/queries";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Button } from "../../ui/button";
import { ChoiceCards } from "../../ui/choice_cards";
import { CopyBlock } from "../../ui/copy_block";
import { FormModal } from "../../ui/form_modal";
import { Modal, ModalActions } from "../../ui/modal";
import { TextField } from "../../ui/text_field";
import { manageCommand, queryCommand } from "../tokens/commands";

/** The token, which is shown this once, and what to do with it. */
function CreatedToken({
  token,
  scope,
  onClose,
}: {
  token: string;
  scope: OperatorScope;
  onClose: () => void;
}) {
  const { text } = useLanguage();
  const system = useSystem();
  return (
    <Modal
      title={text.tokens.createdTitle}
      lead={text.tokens.createdWarning}
      isSealed
      onClose={onClose}
    >
      <CopyBlock label={text.tokens.token} value={token} />
      <CopyBlock
        label={text.tokens.queryCommand}
        value={
          scope === "read"
            ? queryCommand(token, system.data)
            : manageCommand(token, location.origin)
        }
      />
      <ModalActions>
        <Button look="primary" onClick={onClose}>
          {text.tokens.done}
        </Button>
      </ModalActions>
    </Modal>
  );
}

export function CreateOperatorToken({ onClose }: { onClose: () => void }) {
  const { text } = useLanguage();
  const create = useCreateOperatorToken();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<OperatorScope>("read");

  if (create.data !== undefined) {
    return <CreatedToken token={create.data.token} scope={create.data.scope} onClose={onClose} />;
  }

  const submit = () => {
    create.mutate({ name: name.trim(), scope });
  };

  return (
    <FormModal
      title={text.team.createTokenTitle}
      lead={text.team.createTokenLead}
      submit={text.team.createToken}
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
          { value: "read", label: text.tokens.read, hint: text.team.readHint },
          { value: "manage", label: text.tokens.manage, hint: text.team.manageHint },
        ]}
      />
      <TextField
        label={text.tokens.note}
        hint={text.team.noteHint}
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
