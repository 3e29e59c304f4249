// The only place that knows the TeX library. Its elements are made one by one, without HTML text, commands that could link or
// load are not trusted, and macros expand a limited number of times.
import temml from 'temml';

export function draw(tex: string, place: HTMLElement, display: boolean): void {
  try {
    temml.render(tex, place, {
      displayMode: display,
      throwOnError: true,
      trust: false,
      strict: false,
      maxExpand: 300,
      maxSize: [20, 20],
    });
  } catch {
    place.textContent = tex; // not TeX, or not yet
  }
}
