import { useState } from "react";
import { ApiError } from "../../api/client";
import { useCreateChannel, type ChannelType } from "./queries";
import { useLanguage, type Dictionary } from "../../i18n/language";
import { problemText } from "../../i18n/problem_text";
import { reasonText } from "../../i18n/reason_text";
import { ChoiceCards } from "../../ui/choice_cards";
import type { Owner } from "../../api/owner";
import { FormModal } from "../../ui/form_modal";
import { TextField } from "../../ui/text_field";

const types: readonly ChannelType[] = ["email", "slack", "webhook"];

/** What to do about a channel that the server refuses. */
function channelProblem(error: Error | null, text: Dictionary): string | undefined {
  if (error instanceof ApiError && error.code === "invalid") {
    return text.channels.targetWrong(reasonText(error.message, text));
  }
  if (error instanceof ApiError && error.code === "conflict") {
    return error.message.startsWith("no mail") ? text.channels.noMail : text.channels.tooMany;
  }
  return problemText(error, text);
}

export function AddChannel({ customer, onClose }: { customer: Owner; onClose: () => void }) {
  const { text } = useLanguage();
  const create = useCreateChannel(customer.id);
  const [type, setType] = useState<ChannelType>("email");
  const [target, setTarget] = useState("");
  const [room, setRoom] = useState("");

  const submit = () => {
    const channel = type === "slack" && room.trim() !== "" ? room.trim() : null;
    create.mutate({ type, target: target.trim(), channel }, { onSuccess: onClose });
  };

  return (
    <FormModal
      title={text.channels.addTitle}
      lead={customer.name}
      submit={text.channels.add}
      busy={text.channels.busy}
      isPending={create.isPending}
      error={channelProblem(create.error, text)}
      onSubmit={submit}
      onClose={onClose}
    >
      <ChoiceCards
        label={text.channels.type}
        value={type}
        onChange={(next) => {
          create.reset();
          setType(next);
        }}
        choices={types.map((value) => ({
          value,
          label: text.channels.types[value],
          hint: text.channels.hints[value],
        }))}
      />
      <TextField
        label={text.channels.targets[type]}
        hint={text.channels.targetHints[type]}
        type={type === "email" ? "email" : "url"}
        required
        minLength={3}
        maxLength={2000}
        autoComplete="off"
        autoCapitalize="none"
        spellCheck={false}
        value={target}
        onChange={(event) => {
          setTarget(event.target.value);
        }}
      />
      {type === "slack" && (
        <TextField
          label={text.channels.room}
          hint={text.channels.roomHint}
          maxLength={100}
          autoComplete="off"
          autoCapitalize="none"
          spellCheck={false}
          value={room}
          onChange={(event) => {
            setRoom(event.target.value);
          }}
        />
      )}
    </FormModal>
  );
}
