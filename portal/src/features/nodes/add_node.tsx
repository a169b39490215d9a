import { useState } from "react";
import { ApiError } from "../../api/client";
import { useCreateNode } from "./queries";
import { useCreateToken } from "../tokens/queries";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import type { Owner } from "../../api/owner";
import { FormModal } from "../../ui/form_modal";
import { SelectField } from "../../ui/select_field";
import { TextField } from "../../ui/text_field";
import { nodeLengthMax, nodePattern } from "../tokens/commands";
import { addressOf, NodeFields, type NodeDraft } from "./node_fields";
import { NodeLines } from "./node_lines";
import { addressProblem } from "./node_problem";

const emptyDraft: NodeDraft = {
  id: "",
  region: "",
  environment: "production",
  address: "",
  reach: "push",
};

/** Registers the node (as far as the caller may) and makes the token that its agent sends with. */
function useAddNode(customerId: string, mayRegister: boolean) {
  const node = useCreateNode(customerId);
  const token = useCreateToken(customerId);
  // Where only the token failed, the node is there already.
  const [registered, setRegistered] = useState<string | null>(null);
  const add = async (draft: NodeDraft) => {
    const { id, region, environment } = draft;
    const key = `${customerId}/${id}`;
    if (mayRegister && registered !== key) {
      await node.mutateAsync({ id, region, environment, address: addressOf(draft) });
      setRegistered(key);
    }
    await token.mutateAsync({ name: id, scope: "ingest" });
  };
  return {
    add,
    token: token.data?.token,
    error: node.error ?? token.error,
    isPending: node.isPending || token.isPending,
  };
}

interface AddNodeProps {
  owners: readonly Owner[];
  /** Whose node it will be; "" where that is still to be chosen. */
  customerId: string;
  isOperator: boolean;
  onClose: () => void;
}

function IdField({
  value,
  error,
  onChange,
}: {
  value: string;
  error: string | undefined;
  onChange: (id: string) => void;
}) {
  const { text } = useLanguage();
  return (
    <TextField
      label={text.addNode.id}
      hint={text.addNode.idHint}
      error={error}
      wrong={text.addNode.idWrong}
      required
      pattern={nodePattern}
      maxLength={nodeLengthMax}
      autoComplete="off"
      autoCapitalize="none"
      spellCheck={false}
      value={value}
      onChange={(event) => {
        onChange(event.target.value.trim());
      }}
    />
  );
}

export function AddNode({ owners, customerId, isOperator, onClose }: AddNodeProps) {
  const { text } = useLanguage();
  const [ownerId, setOwnerId] = useState(customerId);
  const [draft, setDraft] = useState(emptyDraft);
  const [tried, setTried] = useState<string | null>(null);
  const adding = useAddNode(ownerId, isOperator);
  const owner = owners.find(({ id }) => id === ownerId);

  if (owner !== undefined && adding.token !== undefined) {
    return (
      <NodeLines
        customer={owner}
        draft={draft}
        token={adding.token}
        isRegistered={isOperator}
        onClose={onClose}
      />
    );
  }

  const isTaken = adding.error instanceof ApiError && adding.error.code === "conflict";
  const isStillTaken = isTaken && tried === `${ownerId}/${draft.id}`;
  const addressError = addressProblem(adding.error, text);
  const isShownAbove = isTaken || addressError !== undefined;

  const submit = () => {
    setTried(`${ownerId}/${draft.id}`);
    // A failure is shown by the form; nothing else waits for it.
    adding.add(draft).catch(() => undefined);
  };

  return (
    <FormModal
      title={text.addNode.title}
      submit={text.addNode.submit}
      busy={text.addNode.busy}
      isPending={adding.isPending}
      error={isShownAbove ? undefined : problemText(adding.error, text)}
      onSubmit={submit}
      onClose={onClose}
    >
      {owners.length > 1 && (
        <SelectField
          label={text.addNode.customer}
          options={owners}
          value={ownerId}
          onChange={setOwnerId}
        />
      )}
      <IdField
        value={draft.id}
        error={isStillTaken ? text.addNode.exists : undefined}
        onChange={(id) => {
          setDraft({ ...draft, id });
        }}
      />
      <NodeFields
        draft={draft}
        canBeAsked={isOperator}
        addressError={addressError}
        onChange={setDraft}
      />
    </FormModal>
  );
}
