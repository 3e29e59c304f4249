// A component that is drawn again only when one of its properties is another value.
import {Component, type ComponentChild, h} from 'preact';

export function memo<P extends object>(
  draw: (props: P) => ComponentChild,
): (props: P & {key?: string | number}) => ComponentChild {
  const Inner = draw as (props: P) => preact.VNode;
  class Memo extends Component<P> {
    override shouldComponentUpdate(next: Readonly<P>): boolean {
      const now = this.props as Record<string, unknown>;
      const then = next as Record<string, unknown>;
      return Object.keys({...now, ...then}).some((name) => !Object.is(now[name], then[name]));
    }
    render(): ComponentChild {
      return h(Inner, this.props as P & preact.Attributes);
    }
  }
  return (props) => h(Memo as unknown as (props: P) => preact.VNode, props as P & preact.Attributes);
}
