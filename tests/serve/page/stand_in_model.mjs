// What the stand-in says: fixed texts, chosen by the prompt, as tokens with made-up probabilities.
const encoder = new TextEncoder();

export const SAMPLE = `## Why the sky is blue

Sunlight holds **all colours**. Air scatters short waves far more than long ones, by Rayleigh's law:

$$I(\\lambda) \\propto \\frac{1}{\\lambda^4}$$

So blue light ($\\lambda \\approx 450$ nm) is scattered about *five times* as much as red:

| colour | wavelength | scattered |
|:-------|-----------:|----------:|
| red    | 680 nm     | 1.0       |
| green  | 540 nm     | 2.5       |
| blue   | 450 nm     | 5.2       |

1. At noon the way through the air is short, and mostly blue is scattered.
2. In the evening it is long: the blue is gone before the light arrives.

\`\`\`python
def scattered(nm, to=680):
    """How much more than red."""
    return (to / nm) ** 4  # Rayleigh

print(round(scattered(450), 1))
\`\`\`

See also [the law](https://en.wikipedia.org/wiki/Rayleigh_scattering).`;

const KOREAN =
  '하늘이 파란 까닭은 공기가 **짧은 파장의 빛**을 더 많이 흩뜨리기 때문입니다. 해 질 녘에는 빛이 지나는 길이 길어져 붉은빛만 남습니다.';
const STORIES = {
  'malssi-base': 'Once there was a seed that lay in the dark and listened. It heard the rain, and the rain said: come.',
  'malssi-chat':
    'Mina found a seed on the path. She kept it in her pocket all winter, and in spring she gave it to the garden.',
  'malssi-voice':
    'In a village beyond the hills there lived a seed that wished to see the sea, and one day the wind was kind.',
};

export function reply(messages, model, continues) {
  const last = messages.at(-1)?.content ?? '';
  if (continues) return ' and from here it went on another way.';
  if (last.startsWith('echo ')) return last.slice(5);
  if (last.startsWith('long '))
    return Array.from(
      {length: Number(last.slice(5)) / 10},
      (_, i) =>
        `Paragraph ${i + 1} has ten words of no weight.${i % 20 === 19 ? '\n\n```js\nlet n = 1;\n```' : ''}\n\n`,
    ).join('');
  if (/sky/.test(last)) return SAMPLE;
  if (/[가-힣]/.test(last)) return KOREAN;
  return STORIES[model] ?? STORIES['malssi-base'];
}

// Words with their blank before them; every fourth character of Hangul in two pieces, as a byte-level tokenizer may have it.
export function tokenise(text) {
  const tokens = [];
  let hangul = 0;
  for (const [word] of text.matchAll(/\s*[가-힣]|\s?[^\s가-힣]{1,6}|\s+/g)) {
    const bytes = encoder.encode(word);
    if (/[가-힣]$/.test(word) && ++hangul % 4 === 0) tokens.push({bytes: bytes.slice(0, -1)}, {bytes: bytes.slice(-1)});
    else tokens.push({bytes});
  }
  return tokens;
}

const wire = (bytes, logprob, id) => ({token: Buffer.from(bytes).toString('utf8'), bytes: [...bytes], logprob, id});
const OTHERS = [
  ' the',
  ' a',
  ' rain',
  ' and',
  '\n',
  ' seed',
  '.',
  ' 빛',
  ' she',
  ' it',
  ' in',
  ' that',
  ' was',
  ' of',
  ' to',
  ' her',
  ' wind',
  ',',
  '<|im_end|>',
];

// The token with the nineteen that could have stood there; how sure the model was goes up and down.
export function candidates({bytes}, place) {
  const sure = 0.5 + 0.49 * Math.cos(place * 1.7) * Math.cos(place * 0.31);
  const tail = OTHERS.map((_, i) => 0.62 ** i);
  const sum = tail.reduce((a, b) => a + b, 0) * 1.04; // some is left for tokens beyond these
  const others = OTHERS.map((text, i) =>
    wire(encoder.encode(text), Math.log(((1 - sure) * (tail[i] ?? 0)) / sum), 100 + i),
  );
  const own = wire(bytes, Math.log(sure), 7);
  return {...own, top_logprobs: [own, ...others].sort((a, b) => b.logprob - a.logprob)};
}
