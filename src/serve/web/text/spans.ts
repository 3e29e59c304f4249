// The markup that highlight.js writes (spans with a class, escaped text, nothing else) as a tree, so that no HTML need be parsed.
export type Span = string | {kind: string; parts: Span[]};

const ESCAPED: Record<string, string> = {amp: '&', lt: '<', gt: '>', quot: '"', '#x27': "'"};

export function spansOf(markup: string): Span[] {
  const open: Span[][] = [[]];
  for (const [, kind, close, text] of markup.matchAll(/<span class="([\w -]+)">|(<\/span>)|([^<]+|<)/g)) {
    const here = open.at(-1) ?? [];
    if (kind !== undefined) {
      const parts: Span[] = [];
      here.push({kind, parts});
      open.push(parts);
    } else if (close !== undefined) {
      if (open.length > 1) open.pop();
    } else if (text !== undefined) {
      here.push(text.replace(/&(amp|lt|gt|quot|#x27);/g, (whole, name: string) => ESCAPED[name] ?? whole));
    }
  }
  return open[0] ?? [];
}
