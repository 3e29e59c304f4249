// One of the two answers; its author is named after the vote.
import type {Answer} from '../api/answer';
import {TroubleNote} from '../app/trouble';
import {useWords} from '../i18n/words';
import {Markdown} from '../text/markdown';
import {type Contestant, nameOf} from './round';

export function Side({
  letter,
  answer,
  contestant,
  won,
}: {
  letter: string;
  answer: Answer;
  contestant: Contestant | null;
  won: boolean;
}) {
  const words = useWords();
  return (
    <article
      class={won ? 'side won' : 'side'}
      aria-label={words.answerLetter(letter)}
      aria-busy={answer.state === 'writing'}
    >
      <header>
        <h2>{letter}</h2>
        {contestant && <span class="revealed">{nameOf(contestant)}</span>}
      </header>
      {answer.text ? (
        <Markdown text={answer.text} />
      ) : (
        answer.state === 'writing' && (
          <p class="waiting">
            <i />
            <i />
            <i />
          </p>
        )
      )}
      {answer.trouble && <TroubleNote trouble={answer.trouble} />}
    </article>
  );
}
