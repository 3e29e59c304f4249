// Mathematics: TeX drawn as MathML by temml, which is loaded when the first formula is met.
import {useEffect, useRef} from 'preact/hooks';

const LONGEST = 4000; // characters; longer ones stay TeX

export function Tex({tex, display}: {tex: string; display: boolean}) {
  const place = useRef<HTMLSpanElement>(null);
  useEffect(() => {
    let wanted = true;
    if (tex.length > LONGEST) return;
    void import('./temml').then(({draw}) => {
      if (wanted && place.current) draw(tex, place.current, display);
    });
    return () => void (wanted = false);
  }, [tex, display]);
  return (
    <span class={display ? 'tex display' : 'tex'} ref={place} tabIndex={display ? 0 : undefined}>
      {tex}
    </span>
  );
}
