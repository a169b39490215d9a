import type { NodeWords } from "../tokens/commands";
import { useLanguage } from "../../i18n/language";
import { ChoiceCards } from "../../ui/choice_cards";
import { TextField } from "../../ui/text_field";

export type NodeDraft = NodeWords & { reach: "push" | "scrape" };

/** What the server is told of the node's address: null makes it one that only pushes. */
export function addressOf(draft: NodeDraft): string | null {
  return draft.reach === "scrape" ? draft.address.trim() : null;
}

/** What can be said of a node now and changed later. */
export function NodeFields({
  draft,
  canBeAsked,
  addressError,
  onChange,
}: {
  draft: NodeDraft;
  /** Only the provider knows what its Prometheus can reach. */
  canBeAsked: boolean;
  addressError: string | undefined;
  onChange: (draft: NodeDraft) => void;
}) {
  const { text } = useLanguage();
  return (
    <>
      <TextField
        label={text.addNode.region}
        maxLength={128}
        autoComplete="off"
        value={draft.region}
        onChange={(event) => {
          onChange({ ...draft, region: event.target.value });
        }}
      />
      <TextField
        label={text.addNode.environment}
        maxLength={128}
        autoComplete="off"
        value={draft.environment}
        onChange={(event) => {
          onChange({ ...draft, environment: event.target.value });
        }}
      />
      {canBeAsked && (
        <ChoiceCards
          label={text.addNode.reach}
          value={draft.reach}
          onChange={(reach) => {
            onChange({ ...draft, reach });
          }}
          choices={[
            { value: "push", label: text.addNode.push, hint: text.addNode.pushHint },
            { value: "scrape", label: text.addNode.scrape, hint: text.addNode.scrapeHint },
          ]}
        />
      )}
      {draft.reach === "scrape" && (
        <TextField
          label={text.addNode.address}
          hint={text.addNode.addressHint}
          error={addressError}
          required
          maxLength={270}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={draft.address}
          onChange={(event) => {
            onChange({ ...draft, address: event.target.value });
          }}
        />
      )}
    </>
  );
}
