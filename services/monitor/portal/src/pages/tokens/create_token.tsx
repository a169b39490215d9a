import { useState, type SyntheticEvent } from "react";
import { useCreateToken, useSystem, type CreatedToken, type Scope } from "../../api/queries";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { Button } from "../../ui/button";
import { CopyBlock } from "../../ui/copy_block";
import { Modal, ModalActions } from "../../ui/modal";
import { FormError, TextField } from "../../ui/text_field";
import { agentCommand, queryCommand } from "./commands";
import styles from "./tokens.module.css";

interface CreateTokenProps {
  customer: { id: string; name: string };
  onClose: () => void;
}

const scopes: readonly Scope[] = ["ingest", "read"];

function ScopeChoice({ value, onChange }: { value: Scope; onChange: (scope: Scope) => void }) {
  const { text } = useLanguage();
  const hints = { ingest: text.tokens.ingestHint, read: text.tokens.readHint };
  return (
    <fieldset className={styles.scopes}>
      <legend>{text.tokens.scope}</legend>
      {scopes.map((scope) => (
        <label key={scope}>
          <input
            type="radio"
            name="scope"
            value={scope}
            checked={scope === value}
            onChange={() => {
              onChange(scope);
            }}
          />
          <span>
            <strong>{text.tokens[scope]}</strong>
            <small>{hints[scope]}</small>
          </span>
        </label>
      ))}
    </fieldset>
  );
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
        <CopyBlock
          label={text.tokens.agentCommand}
          value={agentCommand(customer, created.name, created.token, system.data)}
        />
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

  const submit = (event: SyntheticEvent) => {
    event.preventDefault();
    create.mutate({ name: name.trim(), scope });
  };

  return (
    <Modal title={text.tokens.createTitle} lead={customer.name} onClose={onClose}>
      <form onSubmit={submit}>
        <ScopeChoice value={scope} onChange={setScope} />
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
        <FormError message={problemText(create.error, text)} />
        <ModalActions>
          <Button onClick={onClose}>{text.cancel}</Button>
          <Button look="primary" type="submit" disabled={create.isPending}>
            {create.isPending ? text.tokens.creating : text.tokens.create}
          </Button>
        </ModalActions>
      </form>
    </Modal>
  );
}
