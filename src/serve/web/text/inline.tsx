// Inline Markdown as elements. Nothing is ever parsed as HTML: tags in a text are shown as they are written, but for line
// breaks and a few plain marks.
import type {Token, Tokens} from 'marked';
import type {ComponentChildren} from 'preact';
import type {MathToken} from './blocks';
import {decodeEntities} from './entities';
import {safeLink} from './links';
import {Tex} from './tex';

export const inline = (tokens: Token[] | undefined): ComponentChildren[] =>
  (tokens ?? []).map((token, i) => <Inline key={i} token={token} />);

function Link({href, children}: {href: string; children: ComponentChildren}) {
  const safe = safeLink(decodeEntities(href));
  if (!safe) return <>{children}</>;
  return (
    <a href={safe} target="_blank" rel="noopener noreferrer nofollow">
      {children}
    </a>
  );
}

function Inline({token}: {token: Token | MathToken}) {
  switch (token.type) {
    case 'strong':
      return <strong>{inline((token as Tokens.Strong).tokens)}</strong>;
    case 'em':
      return <em>{inline((token as Tokens.Em).tokens)}</em>;
    case 'del':
      return <del>{inline((token as Tokens.Del).tokens)}</del>;
    case 'codespan':
      return <code>{(token as Tokens.Codespan).text}</code>;
    case 'br':
      return <br />;
    case 'math':
      return <Tex tex={(token as MathToken).tex} display={(token as MathToken).display} />;
    case 'link':
      return <Link href={(token as Tokens.Link).href}>{inline((token as Tokens.Link).tokens)}</Link>;
    case 'image': // nothing is loaded from elsewhere: a link to it stands in its place
      return (
        <Link href={(token as Tokens.Image).href}>{(token as Tokens.Image).text || (token as Tokens.Image).href}</Link>
      );
    case 'html':
      return /^<br\s*\/?>$/i.test(token.raw) ? <br /> : <>{token.raw}</>;
    case 'escape':
      return <>{(token as Tokens.Escape).text}</>;
    default: {
      const text = token as Tokens.Text;
      return <>{text.tokens ? inline(text.tokens) : decodeEntities(text.text ?? text.raw)}</>;
    }
  }
}
