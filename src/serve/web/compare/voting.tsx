// The question after both answers, and what comes of it.
import {useWords} from '../i18n/words';
import {useValue} from '../store/observable';
import type {Verdict} from './round';
import {serverCollects} from './votes';

interface Properties {
  ready: boolean;
  verdict: Verdict | null;
  onVote: (verdict: Verdict) => void;
  onAgain: () => void;
}

export function Voting({ready, verdict, onVote, onAgain}: Properties) {
  const words = useWords();
  const collects = useValue(serverCollects);
  const choices: [Verdict, string][] = [
    ['left', words.aBetter],
    ['tie', words.bothGood],
    ['neither', words.bothBad],
    ['right', words.bBetter],
  ];
  return (
    <div class="voting" role="group" aria-label={words.whichBetter}>
      {verdict ? (
        <>
          <p role="status">
            {words.thanks} {collects === null ? '' : collects ? words.votesCollected : words.votesKept}
          </p>
          <button type="button" class="plain" onClick={onAgain}>
            {words.anotherRound}
          </button>
        </>
      ) : (
        choices.map(([value, text]) => (
          <button key={value} type="button" class="plain" disabled={!ready} onClick={() => onVote(value)}>
            {text}
          </button>
        ))
      )}
    </div>
  );
}
