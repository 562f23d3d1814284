import { Component, type ReactNode } from 'react';

import { ErrorPanel } from './ErrorPanel';

/** Keeps a page's defect inside the page. */
export class ErrorBoundary extends Component<{ children: ReactNode }, { error: unknown }> {
  override state: { error: unknown } = { error: null };

  static getDerivedStateFromError(error: unknown): { error: unknown } {
    return { error };
  }

  override render(): ReactNode {
    if (this.state.error === null) return this.props.children;
    return <ErrorPanel error={this.state.error} retry={() => window.location.reload()} />;
  }
}
