// Markdown as elements, block by block.
import type {Tokens} from 'marked';
import {useMemo} from 'preact/hooks';
import {memo} from '../app/memo';
import {type Block, BlockReader, type MathToken} from './blocks';
import {Code} from './code';
import {inline} from './inline';
import {Tex} from './tex';
import {splitThoughts} from './split_thoughts';
import {Thoughts} from './thoughts';

export const Markdown = memo(({text}: {text: string}) => {
  const [thoughtReader, answerReader] = useMemo(() => [new BlockReader(), new BlockReader()], []);
  const {thoughts, answer, thinking} = splitThoughts(text);
  return (
    <div class="prose">
      {thoughts !== null && (
        <Thoughts open={thinking}>
          <Blocks blocks={thoughtReader.read(thoughts)} />
        </Thoughts>
      )}
      <Blocks blocks={answerReader.read(answer)} />
    </div>
  );
});

const Blocks = ({blocks}: {blocks: Block[]}) => (
  <>
    {blocks.map((block, i) => (
      <BlockView key={i} block={block} />
    ))}
  </>
);

const BlockView = memo(({block}: {block: Block | MathToken}) => {
  switch (block.type) {
    case 'space':
    case 'def':
      return null;
    case 'heading':
      return <Heading block={block as Tokens.Heading} />;
    case 'paragraph':
      return <p>{inline((block as Tokens.Paragraph).tokens)}</p>;
    case 'math':
      return <Tex tex={(block as MathToken).tex} display={(block as MathToken).display} />;
    case 'code': {
      const {text, lang} = block as Tokens.Code;
      return <Code code={text} language={(lang ?? '').split(/\s/)[0]?.toLowerCase() ?? ''} />;
    }
    case 'blockquote':
      return (
        <blockquote>
          <Blocks blocks={(block as Tokens.Blockquote).tokens} />
        </blockquote>
      );
    case 'list':
      return <List block={block as Tokens.List} />;
    case 'table':
      return <Table block={block as Tokens.Table} />;
    case 'hr':
      return <hr />;
    case 'html':
      return <p>{block.raw.trim()}</p>;
    default:
      return <>{inline([block])}</>;
  }
});

// The page's own headings end at the second level.
function Heading({block}: {block: Tokens.Heading}) {
  const Tag = `h${Math.min(block.depth + 2, 6)}` as 'h3';
  return <Tag class={`level${block.depth}`}>{inline(block.tokens)}</Tag>;
}

function List({block}: {block: Tokens.List}) {
  const items = block.items.map((item, i) => (
    <li key={i} class={item.task ? 'task' : undefined}>
      {item.task && <input type="checkbox" checked={item.checked} disabled aria-label={item.checked ? '✓' : '–'} />}
      <Blocks blocks={item.tokens.filter(({type}) => (type as string) !== 'checkbox')} />
    </li>
  ));
  return block.ordered ? <ol start={Number(block.start) || 1}>{items}</ol> : <ul>{items}</ul>;
}

function Table({block}: {block: Tokens.Table}) {
  const align = (i: number) => block.align[i] ?? undefined;
  return (
    <div class="table" tabIndex={0} role="group">
      <table>
        <thead>
          <tr>
            {block.header.map((cell, i) => (
              <th key={i} class={align(i)} scope="col">
                {inline(cell.tokens)}
              </th>
            ))}
          </tr>
        </thead>
        <tbody>
          {block.rows.map((row, r) => (
            <tr key={r}>
              {row.map((cell, i) => (
                <td key={i} class={align(i)}>
                  {inline(cell.tokens)}
                </td>
              ))}
            </tr>
          ))}
        </tbody>
      </table>
    </div>
  );
}
