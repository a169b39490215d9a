import { useState } from "react";
import { useLocation } from "wouter";
import { useChannels, useRemoveChannel, type Channel } from "./queries";
import { freshnessOf } from "../../api/freshness_of";
import { useSystem } from "../../live/queries";
import type { Session } from "../../api/types";
import { serverWords } from "../../i18n/problem_text";
import { useLanguage } from "../../i18n/language";
import { failureText } from "../../i18n/reason_text";
import { Button } from "../../ui/button";
import card from "../../ui/card.module.css";
import { Confirm } from "../../ui/confirm";
import { CustomerChoice } from "../../ui/customer_choice";
import type { Owner } from "../../api/owner";
import { EmptyState } from "../../ui/empty_state";
import styles from "../../ui/entry_list.module.css";
import { PageHead } from "../../ui/page_head";
import rows from "../../ui/rows.module.css";
import { ForCustomer } from "../customers/for_customer";
import { AddChannel } from "./add_channel";

/** When something last arrived, and when and why it last did not; a warning where that came after. */
function Outcome({ channel }: { channel: Channel }) {
  const { text, format } = useLanguage();
  const { last_delivered_at: delivered, last_failure: failure } = channel;
  const moment = (at: string) => format.moment(new Date(at));
  const isFailing =
    failure !== null && (delivered === null || Date.parse(delivered) < Date.parse(failure.at));
  return (
    <>
      <p className={styles.detail} data-testid="channel-delivered">
        {delivered === null
          ? channel.type === "email"
            ? text.channels.deliveryUnknown
            : text.channels.notDelivered
          : text.channels.delivered(moment(delivered))}
      </p>
      {failure !== null && (
        <p
          className={isFailing ? styles.failing : styles.detail}
          data-testid="channel-failure"
          data-failing={isFailing}
        >
          {text.channels[isFailing ? "failing" : "failed"](
            moment(failure.at),
            failureText(failure.reason, text),
          )}
        </p>
      )}
    </>
  );
}

function ChannelEntry({ channel, onRemove }: { channel: Channel; onRemove: (() => void) | null }) {
  const { text, format } = useLanguage();
  const since = text.channels.since(format.moment(new Date(channel.created_at)));
  return (
    <li className={styles.entry} data-testid="channel">
      <div className={styles.words}>
        <p>
          <strong>{channel.target}</strong>{" "}
          <span className={rows.pill}>{text.channels.types[channel.type]}</span>{" "}
          {channel.status !== "active" && (
            <span className={rows.pill} data-testid="channel-status">
              {text.channels.statuses[channel.status]}
            </span>
          )}
        </p>
        {channel.reason !== null && (
          <p className={styles.detail}>
            {serverWords(channel.reason, text, onRemove !== null) ??
              failureText(channel.reason, text)}
          </p>
        )}
        <p className={styles.detail}>
          {channel.channel != null && <span>{channel.channel}</span>}
          <span>{since}</span>
        </p>
        <Outcome channel={channel} />
      </div>
      {onRemove !== null && (
        <div className={styles.side}>
          <Button
            look="dangerQuiet"
            onClick={onRemove}
            aria-label={text.channels.removeLabel(channel.target, since)}
          >
            {text.channels.remove}
          </Button>
        </div>
      )}
    </li>
  );
}

function RemoveChannel({
  owner,
  channel,
  onClose,
}: {
  owner: Owner;
  channel: Channel;
  onClose: () => void;
}) {
  const { text, format } = useLanguage();
  const since = text.channels.since(format.moment(new Date(channel.created_at)));
  const remove = useRemoveChannel(owner.id);
  return (
    <Confirm
      title={text.channels.removeTitle}
      question={text.channels.removeText(channel.target, since)}
      action={text.channels.remove}
      busy={text.channels.removing}
      pending={remove}
      onConfirm={() => {
        remove.mutate(channel.id, { onSuccess: onClose });
      }}
      onClose={onClose}
    />
  );
}

function ChannelList({
  channels,
  emptyHint,
  onRemove,
}: {
  channels: readonly Channel[];
  emptyHint: string;
  /** Null where the caller may only look. */
  onRemove: ((channel: Channel) => void) | null;
}) {
  const { text } = useLanguage();
  return (
    <div className={card.card}>
      {channels.length === 0 ? (
        <EmptyState title={text.channels.empty} hint={emptyHint} />
      ) : (
        <ul>
          {channels.map((channel) => (
            <ChannelEntry
              key={channel.id}
              channel={channel}
              onRemove={
                onRemove &&
                (() => {
                  onRemove(channel);
                })
              }
            />
          ))}
        </ul>
      )}
    </div>
  );
}

function ChannelsOf({
  owner,
  owners,
  isOperator,
}: {
  owner: Owner;
  owners: readonly Owner[];
  isOperator: boolean;
}) {
  const { text } = useLanguage();
  const query = useChannels(owner.id);
  const providerIsTold = useSystem().data?.provider_is_told;
  const emptyHint = isOperator ? text.channels.emptyHint : text.channels.emptyHintCustomer;
  const [, navigate] = useLocation();
  const [isAdding, setIsAdding] = useState(false);
  const [removing, setRemoving] = useState<Channel | null>(null);
  return (
    <>
      <PageHead
        title={text.channels.title}
        lead={isOperator ? text.channels.lead : text.channels.leadCustomer}
        freshness={freshnessOf(query)}
      >
        {owners.length > 1 && (
          <CustomerChoice
            owners={owners}
            value={owner.id}
            onChange={(id) => {
              navigate(`/channels/${id}`);
            }}
          />
        )}
        {isOperator && (
          <Button
            look="primary"
            onClick={() => {
              setIsAdding(true);
            }}
          >
            {text.channels.add}
          </Button>
        )}
      </PageHead>
      {query.data !== undefined && (
        <ChannelList
          channels={query.data}
          emptyHint={providerIsTold === undefined ? "" : emptyHint(providerIsTold)}
          onRemove={isOperator ? setRemoving : null}
        />
      )}
      {isAdding && (
        <AddChannel
          customer={owner}
          onClose={() => {
            setIsAdding(false);
          }}
        />
      )}
      {removing !== null && (
        <RemoveChannel
          owner={owner}
          channel={removing}
          onClose={() => {
            setRemoving(null);
          }}
        />
      )}
    </>
  );
}

export function ChannelsPage({
  session,
  customerId,
}: {
  session: Session;
  customerId: string | null;
}) {
  const { text } = useLanguage();
  const isOperator = session.role === "operator";
  return (
    <ForCustomer
      session={session}
      customerId={customerId}
      title={text.channels.title}
      lead={text.channels.lead}
      noCustomerHint={text.channels.noCustomerHint}
    >
      {(owner, owners) => (
        <ChannelsOf key={owner.id} owner={owner} owners={owners} isOperator={isOperator} />
      )}
    </ForCustomer>
  );
}
