// What went wrong, in a sentence that says what can be done about it.
import {useEffect, useState} from 'preact/hooks';
import {keyWanted} from '../api/client';
import {useWords} from '../i18n/words';
import type {Trouble} from '../store/types';

// Seconds until then, counting down.
function useSeconds(at: number | undefined): number {
  const left = () => (at ? Math.max(0, Math.ceil((at - Date.now()) / 1000)) : 0);
  const [seconds, setSeconds] = useState(left);
  useEffect(() => {
    setSeconds(left());
    const timer = setInterval(() => setSeconds(left()), 500);
    return () => clearInterval(timer);
  }, [at]);
  return seconds;
}

export function TroubleNote({trouble, onRetry}: {trouble: Trouble; onRetry?: () => void}) {
  const words = useWords();
  const seconds = useSeconds(trouble.retryAt);
  const what = words.troubles[trouble.kind];
  return (
    <div class="trouble">
      <p role="alert">
        <strong>{what}</strong> {trouble.kind !== 'key' && trouble.message}
      </p>
      <div class="row">
        {trouble.kind === 'key' && (
          <button type="button" class="plain" onClick={() => keyWanted.set(true)}>
            {words.enterKey}
          </button>
        )}
        {onRetry && (
          <button type="button" class="plain" disabled={seconds > 0} onClick={onRetry}>
            {seconds > 0 ? words.retryIn(seconds) : words.retry}
          </button>
        )}
      </div>
    </div>
  );
}
