import { useState } from "react";
import { useLocation } from "wouter";
import { useRetireNode } from "./queries";
import { useLanguage } from "../../i18n/language";
import { Button } from "../../ui/button";
import { Confirm } from "../../ui/confirm";
import { ChangeNode } from "./change_node";

/** What an operator can do with a node. */
export function NodeActions({ customerId, nodeId }: { customerId: string; nodeId: string }) {
  const { text } = useLanguage();
  const [, navigate] = useLocation();
  const retire = useRetireNode(customerId, nodeId);
  const [isChanging, setIsChanging] = useState(false);
  const [isRetiring, setIsRetiring] = useState(false);
  return (
    <>
      <Button
        onClick={() => {
          setIsChanging(true);
        }}
      >
        {text.changeNode.open}
      </Button>
      <Button
        look="dangerQuiet"
        aria-label={text.changeNode.retireLabel(nodeId)}
        onClick={() => {
          setIsRetiring(true);
        }}
      >
        {text.changeNode.retire}
      </Button>
      {isChanging && (
        <ChangeNode
          customerId={customerId}
          nodeId={nodeId}
          onClose={() => {
            setIsChanging(false);
          }}
        />
      )}
      {isRetiring && (
        <Confirm
          title={text.changeNode.retireTitle}
          question={text.changeNode.retireText(nodeId)}
          action={text.changeNode.retire}
          busy={text.changeNode.retiring}
          pending={retire}
          onConfirm={() => {
            retire.mutate(undefined, {
              onSuccess: () => {
                navigate("/");
              },
            });
          }}
          onClose={() => {
            setIsRetiring(false);
          }}
        />
      )}
    </>
  );
}
