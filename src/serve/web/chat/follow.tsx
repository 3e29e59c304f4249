// Follows an answer as it grows, unless the reader has scrolled away from the end.
import {useCallback, useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';
import {DownIcon} from '../app/icons';
import {useWords} from '../i18n/words';

const NEAR = 48; // pixels from the end that count as the end

export function useFollow(changing: unknown) {
  const place = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const [atEnd, setAtEnd] = useState(true);
  const toEnd = useCallback(() => {
    follows.current = true;
    setAtEnd(true);
    place.current?.scrollTo({top: place.current.scrollHeight});
  }, []);

  useEffect(() => {
    const area = place.current;
    if (!area) return;
    let before = area.scrollTop;
    const look = () => {
      const near = area.scrollHeight - area.scrollTop - area.clientHeight < NEAR;
      // What grows beneath leaves the end behind without the reader's doing: only a move upwards is theirs.
      if (near) follows.current = true;
      else if (area.scrollTop < before - 2) follows.current = false;
      before = area.scrollTop;
      setAtEnd(near || follows.current);
    };
    const stay = new ResizeObserver(() => {
      if (follows.current) area.scrollTop = area.scrollHeight;
      else look();
    });
    area.addEventListener('scroll', look, {passive: true});
    stay.observe(area);
    if (area.firstElementChild) stay.observe(area.firstElementChild);
    return () => {
      area.removeEventListener('scroll', look);
      stay.disconnect();
    };
  }, []);

  useLayoutEffect(() => {
    if (follows.current && place.current) place.current.scrollTop = place.current.scrollHeight;
  }, [changing]);
  return {place, atEnd, toEnd};
}

export function JumpDown({onClick}: {onClick: () => void}) {
  const words = useWords();
  return (
    <button type="button" class="jump" onClick={onClick} aria-label={words.toEnd} title={words.toEnd}>
      <DownIcon />
    </button>
  );
}
