/** A dash in the place of what is not known; who hears the page hears why, who points at it too. */
export function Unknown({ reason, className }: { reason: string; className?: string | undefined }) {
  return (
    <span role="img" aria-label={reason} title={reason} className={className}>
      –
    </span>
  );
}
