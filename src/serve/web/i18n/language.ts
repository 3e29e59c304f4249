// Which of the page's languages a reader gets: the one chosen, else the first of the browser's that there is.
export type Language = 'en' | 'ko';

export function languageOf(chosen: 'auto' | Language, browser: readonly string[]): Language {
  if (chosen !== 'auto') return chosen;
  const first = browser.find((tag) => /^(en|ko)\b/i.test(tag));
  return first?.toLowerCase().startsWith('ko') ? 'ko' : 'en';
}
