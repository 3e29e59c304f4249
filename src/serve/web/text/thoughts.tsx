// What a model that reasons says to itself before it answers, between <think> and </think>: folded away once it is done.
import type {ComponentChildren} from 'preact';
import {useWords} from '../i18n/words';

export interface Split {
  thoughts: string | null;
  answer: string;
  thinking: boolean; // not closed yet
}

export function splitThoughts(text: string): Split {
  const start = /^\s*<think>\n?/.exec(text);
  if (!start) return {thoughts: null, answer: text, thinking: false};
  const end = text.indexOf('</think>');
  if (end < 0) return {thoughts: text.slice(start[0].length), answer: '', thinking: true};
  const thoughts = text.slice(start[0].length, end).trim();
  return {thoughts: thoughts || null, answer: text.slice(end + '</think>'.length).trimStart(), thinking: false};
}

export function Thoughts({open, children}: {open: boolean; children: ComponentChildren}) {
  const words = useWords();
  return (
    <details class="thoughts" open={open}>
      <summary>{open ? words.thinking : words.thoughts}</summary>
      {children}
    </details>
  );
}
