import { useState, type SyntheticEvent } from "react";
import { useCreateOperatorToken, type OperatorScope } from "./queries";
import { useSystem } from "../../live/queries";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Button } from "../../ui/button";
import { ChoiceCards } from "../../ui/choice_cards";
import { CopyBlock } from "../../ui/copy_block";
import { Modal, ModalActions } from "../../ui/modal";
import { FormError, TextField } from "../../ui/text_field";
import { manageCommand, queryCommand } from "../tokens/commands";

export function CreateOperatorToken({ onClose }: { onClose: () => void }) {
  const { text } = useLanguage();
  const system = useSystem();
  const create = useCreateOperatorToken();
  const [name, setName] = useState("");
  const [scope, setScope] = useState<OperatorScope>("read");

  if (create.data !== undefined) {
    const { token } = create.data;
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
            create.data.scope === "read"
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

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    create.mutate({ name: name.trim(), scope });
  };

  return (
    <Modal title={text.team.createTokenTitle} lead={text.team.createTokenLead} onClose={onClose}>
      <form onSubmit={submit}>
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
        <FormError message={problemText(create.error, text)} />
        <ModalActions>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button look="primary" type="submit" disabled={create.isPending}>
            {create.isPending ? text.tokens.creating : text.team.createToken}
          </Button>
        </ModalActions>
      </form>
    </Modal>
  );
}
