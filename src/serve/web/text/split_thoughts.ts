// What a model that reasons says to itself before it answers stands between <think> and </think>.
export interface Split {
  thoughts: string | null;
  answer: string;
  thinking: boolean; // not closed yet
}

export function splitThoughts(text: string): Split {
  const start = /^\s*<think>\n?/.exec(text);
  if (!start) return {thoughts: null, answer: text, thinking: false};
  const end = text.indexOf('</think>');
  if (end < 0) return {thoughts: text.slice(start[0].length), answer: '', thinking: true};
  const thoughts = text.slice(start[0].length, end).trim();
  return {thoughts: thoughts || null, answer: text.slice(end + '</think>'.length).trimStart(), thinking: false};
}

// A text with a piece more. Servers tell thoughts apart from the answer; the text has them as models write them.
export function joined(text: string, {text: more, thought}: {text: string; thought: string}): string {
  const thinking = text.startsWith('<think>') && !text.includes('</think>');
  if (thought) return (text || '<think>\n') + thought;
  return more && thinking ? `${text}\n</think>\n\n${more}` : text + more;
}
