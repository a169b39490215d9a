import { useSystem } from "../../live/queries";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import { CopyBlock } from "../../ui/copy_block";
import type { Owner } from "../../api/owner";
import { Modal, ModalActions } from "../../ui/modal";
import { agentCommand, localSdkCommand, loopbackCollector } from "../tokens/commands";
import { addressOf, type NodeDraft } from "./node_fields";
import styles from "./nodes.module.css";

/** The last step of adding a node: what to paste on it. */
export function NodeLines({
  customer,
  draft,
  token,
  isRegistered,
  onClose,
}: {
  customer: Owner;
  draft: NodeDraft;
  token: string;
  isRegistered: boolean;
  onClose: () => void;
}) {
  const { text } = useLanguage();
  const system = useSystem();
  const loopback = loopbackCollector(system.data);
  const node = { ...draft, address: addressOf(draft) ?? "" };
  return (
    <Modal
      title={text.addNode.readyTitle}
      lead={text.addNode.readyLead(draft.id)}
      isSealed
      onClose={onClose}
    >
      <CopyBlock
        label={text.addNode.lines}
        value={agentCommand(customer, node, token, system.data)}
      />
      <CopyBlock
        label={text.addNode.applicationLines}
        hint={text.addNode.applications}
        value={localSdkCommand}
      />
      <ul className={styles.notes}>
        <li>{text.addNode.needs}</li>
        {loopback !== null && <li>{text.addNode.loopback(loopback)}</li>}
        <li>{isRegistered ? text.addNode.appears : text.addNode.appearsLater}</li>
      </ul>
      <ModalActions>
        <Button look="primary" onClick={onClose}>
          {text.addNode.done}
        </Button>
      </ModalActions>
    </Modal>
  );
}
