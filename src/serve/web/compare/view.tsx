// Two models, or one in two manners, answer the same prompt side by side. Who is who stays hidden until the vote.
import {useEffect, useRef, useState} from 'preact/hooks';
import {type Answer, writeAnswer} from '../api/answer';
import {models} from '../api/models';
import {Header} from '../app/header';
import {StopIcon} from '../app/icons';
import {useGrowing} from '../chat/composer';
import {sendsOn} from '../chat/keys';
import {useWords} from '../i18n/words';
import {useValue} from '../store/observable';
import {Contestants} from './contestants';
import {type Contestant, contestant, draw, type Verdict, vote} from './round';
import {Scores} from './scores';
import {Side} from './side';
import {Voting} from './voting';
import {castVote} from './votes';

interface Round {
  prompt: string;
  sides: [Contestant, Contestant];
  verdict: Verdict | null;
}

const NONE: Answer = {text: '', tokens: []};
const random = () => (crypto.getRandomValues(new Uint32Array(1))[0] ?? 0) / 2 ** 32;

// The two answers of a round, written at the same time.
function useAnswers() {
  const [answers, setAnswers] = useState<[Answer, Answer]>([NONE, NONE]);
  const [busy, setBusy] = useState(false);
  const controller = useRef<AbortController | null>(null);
  useEffect(() => () => controller.current?.abort(), []);
  const run = async (prompt: string, sides: [Contestant, Contestant]) => {
    const stop = new AbortController();
    controller.current = stop;
    setAnswers([NONE, NONE]);
    setBusy(true);
    const one = async (place: 0 | 1) => {
      const {model, system, sampling} = sides[place];
      const messages = [
        ...(system.trim() ? [{role: 'system' as const, content: system}] : []),
        {role: 'user' as const, content: prompt},
      ];
      const put = (answer: Answer) => setAnswers(([a, b]) => (place ? [a, answer] : [answer, b]));
      put({...NONE, state: 'writing'});
      put(await writeAnswer({model, messages, sampling, probabilities: false}, stop.signal, NONE, put));
    };
    await Promise.all([one(0), one(1)]);
    setBusy(false);
  };
  return {answers, busy, run, stop: () => controller.current?.abort()};
}

// Those named in the address, else the first two models, or the one model twice.
function beginners(wanted: string[], names: string[]): Contestant[] {
  const known = wanted.filter((name) => names.includes(name));
  if (known.length > 1) return known.map(contestant);
  const [a, b] = names;
  return a === undefined ? [] : [contestant(a), contestant(b ?? a)];
}

export function CompareView({wanted}: {wanted: string[]}) {
  const words = useWords();
  const {names} = useValue(models);
  const [contestants, setContestants] = useState<Contestant[]>([]);
  const [prompt, setPrompt] = useState('');
  const [round, setRound] = useState<Round | null>(null);
  const {answers, busy, run, stop} = useAnswers();
  const area = useGrowing(prompt);
  const key = names.join() + wanted.join();
  useEffect(() => setContestants(beginners(wanted, names)), [key]);

  const start = () => {
    const sides = draw(contestants, random);
    if (!sides || !prompt.trim() || busy) return;
    setRound({prompt, sides, verdict: null});
    void run(prompt, sides);
  };
  const judge = (verdict: Verdict) => {
    if (!round || round.verdict) return;
    const [left, right] = round.sides;
    setRound({...round, verdict});
    void castVote(vote(round.prompt, {...left, text: answers[0].text}, {...right, text: answers[1].text}, verdict));
  };
  const whole = !busy && answers.every(({text, trouble}) => text && !trouble);
  const keys = (event: KeyboardEvent) => {
    if (!sendsOn(event)) return;
    event.preventDefault();
    start();
  };
  return (
    <section class="view compare" aria-label={words.compare}>
      <Header title={<h1>{words.compare}</h1>} />
      <div class="scroll" tabIndex={-1}>
        <div class="wide">
          <p class="soft lead">{words.compareNote}</p>
          <Contestants
            names={names}
            value={contestants}
            onChange={setContestants}
            hidden={round !== null && !round.verdict}
          />
          <form
            class="composer still"
            onSubmit={(event) => {
              event.preventDefault();
              start();
            }}
          >
            <textarea
              ref={area}
              rows={1}
              value={prompt}
              placeholder={words.comparePrompt}
              aria-label={words.comparePrompt}
              onInput={(event) => setPrompt(event.currentTarget.value)}
              onKeyDown={keys}
            />
            {busy ? (
              <button type="button" class="round" onClick={stop} aria-label={words.stop}>
                <StopIcon />
              </button>
            ) : (
              <button type="submit" class="strong" disabled={!prompt.trim() || contestants.length < 2}>
                {words.compareStart}
              </button>
            )}
          </form>
          {round && (
            <>
              <div class="sides">
                <Side
                  letter="A"
                  answer={answers[0]}
                  contestant={round.verdict ? round.sides[0] : null}
                  won={round.verdict === 'left'}
                />
                <Side
                  letter="B"
                  answer={answers[1]}
                  contestant={round.verdict ? round.sides[1] : null}
                  won={round.verdict === 'right'}
                />
              </div>
              <Voting ready={whole} verdict={round.verdict} onVote={judge} onAgain={start} />
            </>
          )}
          <Scores />
        </div>
      </div>
    </section>
  );
}
