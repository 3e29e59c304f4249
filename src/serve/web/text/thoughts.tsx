// A model's thoughts, folded away once it answers.
import type {ComponentChildren} from 'preact';
import {useWords} from '../i18n/words';

export function Thoughts({open, children}: {open: boolean; children: ComponentChildren}) {
  const words = useWords();
  return (
    <details class="thoughts" open={open}>
      <summary>{open ? words.thinking : words.thoughts}</summary>
      {children}
    </details>
  );
}
