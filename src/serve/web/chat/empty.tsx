// A conversation before its first word.
import {loadModels, models} from '../api/models';
import {Seed} from '../app/icons';
import {TroubleNote} from '../app/trouble';
import {useWords} from '../i18n/words';
import {useValue} from '../store/observable';

export function Empty({onPick}: {onPick: (text: string) => void}) {
  const words = useWords();
  const {names, loading, trouble} = useValue(models);
  const ready = names.length > 0;
  return (
    <div class="empty">
      <Seed />
      <h1>{words.greeting}</h1>
      {trouble ? (
        <TroubleNote trouble={trouble} onRetry={() => void loadModels()} />
      ) : (
        <p class="soft">{loading || ready ? words.greetingNote : words.noModels}</p>
      )}
      {ready && (
        <ul class="starters">
          {words.starters.map((text) => (
            <li key={text}>
              <button type="button" onClick={() => onPick(text)}>
                {text}
              </button>
            </li>
          ))}
        </ul>
      )}
    </div>
  );
}
