import { useState } from "react";
import { useChangeNode, useNode, type Node } from "./queries";
import { useLanguage } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { ModalForm } from "../../ui/form_modal";
import { Modal } from "../../ui/modal";
import { FormError } from "../../ui/text_field";
import { addressOf, NodeFields, type NodeDraft } from "./node_fields";
import { addressProblem } from "./node_problem";

function ChangeForm({
  customerId,
  node,
  onClose,
}: {
  customerId: string;
  node: Node;
  onClose: () => void;
}) {
  const { text } = useLanguage();
  const change = useChangeNode(customerId, node.id);
  const [draft, setDraft] = useState<NodeDraft>({ ...node, address: node.address ?? "" });
  const addressError = addressProblem(change.error, text);

  const submit = () => {
    const { region, environment } = draft;
    change.mutate({ region, environment, address: addressOf(draft) }, { onSuccess: onClose });
  };

  return (
    <ModalForm
      submit={text.changeNode.submit}
      busy={text.changeNode.busy}
      isPending={change.isPending}
      error={addressError === undefined ? problemText(change.error, text) : undefined}
      onSubmit={submit}
      onClose={onClose}
    >
      <NodeFields draft={draft} canBeAsked addressError={addressError} onChange={setDraft} />
    </ModalForm>
  );
}

export function ChangeNode({
  customerId,
  nodeId,
  onClose,
}: {
  customerId: string;
  nodeId: string;
  onClose: () => void;
}) {
  const { text } = useLanguage();
  const node = useNode(customerId, nodeId);
  return (
    <Modal title={text.changeNode.title} lead={nodeId} onClose={onClose}>
      {node.data === undefined ? (
        <FormError message={problemText(node.error, text)} />
      ) : (
        <ChangeForm customerId={customerId} node={node.data} onClose={onClose} />
      )}
    </Modal>
  );
}
