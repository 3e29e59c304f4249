// What a screen reader is told of an answer: that it is being written, and then, once and politely, the whole of it; not every
// word as it comes.
import {useEffect, useState} from 'preact/hooks';
import {useWords} from '../i18n/words';
import type {Message} from '../store/types';

const LONGEST = 1500; // characters; the rest can be read in its place

export function Voice({path, busy}: {path: Message[]; busy: string | null}) {
  const words = useWords();
  const [said, say] = useState('');
  const [followed, follow] = useState<string | null>(null);
  useEffect(() => {
    if (busy) {
      follow(busy);
      say(words.writing);
    } else if (followed) {
      follow(null);
      const text = path.find(({id}) => id === followed)?.text ?? '';
      say(`${words.written}: ${text.slice(0, LONGEST)}`);
    }
  }, [busy]);
  return (
    <div class="hidden" role="status" aria-live="polite">
      {said}
    </div>
  );
}
