import logo from "./vigia.svg";

/** The lookout's eye; the name stands beside it, so it has no words of its own. */
export function Logo({ className }: { className?: string | undefined }) {
  return <img src={logo} alt="" className={className} />;
}
