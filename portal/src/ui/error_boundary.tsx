import { Component, type ReactNode } from "react";
import { useLanguage } from "../i18n/language";
import { Button, ButtonLink } from "./button";
import { EmptyState } from "./empty_state";

function Failed() {
  const { text } = useLanguage();
  return (
    <main data-testid="failed">
      <EmptyState title={text.problem.failed} isPage hint={text.problem.failedHint}>
        <Button
          look="primary"
          onClick={() => {
            location.reload();
          }}
        >
          {text.problem.reload}
        </Button>{" "}
        <ButtonLink href="/">{text.problem.toOverview}</ButtonLink>
      </EmptyState>
    </main>
  );
}

interface Props {
  /** The address of what is shown: another one is tried anew. */
  place: string;
  children: ReactNode;
}

/** A fault of the page's own leaves no white page: it says so, with a way out. */
export class ErrorBoundary extends Component<Props, { failedAt: string | null }> {
  override state: { failedAt: string | null } = { failedAt: null };

  static getDerivedStateFromError() {
    return { failedAt: location.pathname };
  }

  override componentDidUpdate(before: Props) {
    if (before.place !== this.props.place && this.state.failedAt !== null) {
      this.setState({ failedAt: null });
    }
  }

  override render() {
    return this.state.failedAt === null ? this.props.children : <Failed />;
  }
}
