// Enter sends, but not with Shift, and not while an input method composes: there it ends the syllable. Safari says 229 for the
// Enter that ends a composition, after it has ended.
export const sendsOn = (event: Pick<KeyboardEvent, 'key' | 'shiftKey' | 'isComposing' | 'keyCode'>): boolean =>
  event.key === 'Enter' && !event.shiftKey && !event.isComposing && event.keyCode !== 229;
