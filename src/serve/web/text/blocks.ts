// Markdown (GitHub's flavour, with TeX) -> top-level blocks, incrementally: while an answer grows, only what may still
// change is read again; a finished block keeps its identity, and so its drawing.
import {Marked, type Token, type TokenizerExtension} from 'marked';

export type Block = Token;
export interface MathToken {
  type: 'math';
  raw: string;
  tex: string;
  display: boolean;
}

const mathToken = (match: RegExpExecArray | null, display: boolean): MathToken | undefined => {
  const tex = match?.slice(1).find((group) => group !== undefined);
  return match && tex !== undefined ? {type: 'math', raw: match[0], tex, display} : undefined;
};

// $$ .. $$ and \[ .. \] as paragraphs of their own.
const displayMath: TokenizerExtension = {
  name: 'displayMath',
  level: 'block',
  start: (source) => source.match(/^ {0,3}(\$\$|\\\[)/m)?.index,
  tokenizer: (source) => mathToken(/^ {0,3}(?:\$\$([^$]+?)\$\$|\\\[([^]+?)\\\])[ \t]*(?:\n+|$)/.exec(source), true),
};

// $ .. $ where it cannot be money: nothing blank inside the dollars' edges, no digit after the second.
const inlineMath: TokenizerExtension = {
  name: 'inlineMath',
  level: 'inline',
  start: (source) => source.match(/\$|\\[([]/)?.index,
  tokenizer: (source) =>
    mathToken(/^\$\$([^$\n]+?)\$\$|^\\\[([^]+?)\\\]/.exec(source), true) ??
    mathToken(/^\$(?!\s)((?:\\.|[^$\\\n])+?)(?<![\s\\])\$(?!\d)|^\\\(([^]+?)\\\)/.exec(source), false),
};

const reader = new Marked({gfm: true}).use({extensions: [displayMath, inlineMath]});

export class BlockReader {
  private text = '';
  private blocks: Block[] = [];

  // The blocks of the text; quickest where it goes on from the text before.
  read(text: string): Block[] {
    const whole = text.replace(/\r\n?/g, '\n');
    if (whole === this.text) return this.blocks;
    const stable = whole.startsWith(this.text) ? this.stable() : [];
    const from = stable.reduce((sum, block) => sum + block.raw.length, 0);
    this.blocks = [...stable, ...reader.lexer(whole.slice(from))];
    this.text = whole;
    return this.blocks;
  }

  // What no further text can change: all before the last block that is not blank. Only where the blocks are the text to the
  // letter can their lengths be trusted.
  private stable(): Block[] {
    let last = this.blocks.length - 1;
    while (last >= 0 && this.blocks[last]?.type === 'space') --last;
    const stable = this.blocks.slice(0, Math.max(last, 0));
    return this.text.startsWith(stable.map(({raw}) => raw).join('')) ? stable : [];
  }
}
