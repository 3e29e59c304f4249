// Follows an answer as it grows, unless the reader has scrolled away from the end.
import {useCallback, useEffect, useLayoutEffect, useRef, useState} from 'preact/hooks';
import {DownIcon} from '../app/icons';
import {useWords} from '../i18n/words';

const NEAR = 48; // pixels from the end that count as the end
const UPWARDS = ['ArrowUp', 'PageUp', 'Home'];

export function useFollow(changing: unknown) {
  const place = useRef<HTMLDivElement>(null);
  const follows = useRef(true);
  const placed = useRef(-1); // where the view was put last, not by the reader
  const [atEnd, setAtEnd] = useState(true);
  const toEnd = useCallback(() => {
    follows.current = true;
    setAtEnd(true);
    if (!place.current) return;
    place.current.scrollTop = place.current.scrollHeight;
    placed.current = place.current.scrollTop;
  }, []);

  useEffect(() => {
    const area = place.current;
    if (!area) return;
    let before = area.scrollTop;
    const look = () => {
      const near = area.scrollHeight - area.scrollTop - area.clientHeight < NEAR;
      const moved = area.scrollTop - before;
      before = area.scrollTop;
      if (Math.abs(area.scrollTop - placed.current) >= 1) {
        if (near && moved > 0) follows.current = true;
        else if (!near && moved < -2) follows.current = false;
      }
      setAtEnd(near || follows.current);
    };
    // A wish to look further up counts before the view has moved: what grows would pull it back.
    const leave = () => {
      if (area.scrollHeight > area.clientHeight) follows.current = false;
    };
    const wheel = (event: WheelEvent) => event.deltaY < 0 && leave();
    const keys = (event: KeyboardEvent) => UPWARDS.includes(event.key) && leave();
    const stay = new ResizeObserver(() => (follows.current ? toEnd() : look()));
    area.addEventListener('scroll', look, {passive: true});
    area.addEventListener('wheel', wheel, {passive: true});
    area.addEventListener('touchmove', leave, {passive: true});
    area.addEventListener('keydown', keys);
    stay.observe(area);
    if (area.firstElementChild) stay.observe(area.firstElementChild);
    return () => {
      area.removeEventListener('scroll', look);
      area.removeEventListener('wheel', wheel);
      area.removeEventListener('touchmove', leave);
      area.removeEventListener('keydown', keys);
      stay.disconnect();
    };
  }, []);

  useLayoutEffect(() => {
    if (follows.current) toEnd();
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
