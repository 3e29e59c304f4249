// "< 2 / 3 >": which alternative of a message is shown.
import {LeftIcon, RightIcon} from '../app/icons';
import {useWords} from '../i18n/words';
import {change} from '../store/conversations';
import {turn} from '../store/tree';

interface Properties {
  conversation: string;
  message: string;
  place: number;
  count: number;
}

export function Branches({conversation, message, place, count}: Properties) {
  const words = useWords();
  if (count < 2) return null;
  const move = (steps: number) => change(conversation, (one) => turn(one, message, steps));
  return (
    <span class="branches" role="group" aria-label={words.alternatives}>
      <button type="button" class="quiet" disabled={place === 0} onClick={() => move(-1)} aria-label={words.previous}>
        <LeftIcon />
      </button>
      <span>
        {place + 1} / {count}
      </span>
      <button
        type="button"
        class="quiet"
        disabled={place === count - 1}
        onClick={() => move(1)}
        aria-label={words.next}
      >
        <RightIcon />
      </button>
    </span>
  );
}
