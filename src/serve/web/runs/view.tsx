// Training runs and their curves, as they grow.
import {useMemo, useState} from 'preact/hooks';
import {Header} from '../app/header';
import {go} from '../app/route';
import {TroubleNote} from '../app/trouble';
import {useWords} from '../i18n/words';
import type {Run} from '../api/runs';
import {Chart, type Line} from './chart';
import {useMetrics, useRuns} from './live';
import {chartOf, charts, curves} from './series';

const COLOURS = 6;

export function RunsView({wanted}: {wanted: string | null}) {
  const words = useWords();
  const {runs, trouble} = useRuns();
  const [picked, setPicked] = useState<string[] | null>(wanted ? [wanted] : null);
  const [log, setLog] = useState(false);
  const [smoothing, setSmoothing] = useState(0.6);
  const names = picked ?? (runs?.[0] ? [runs[0].name] : []);
  const metrics = useMetrics(names);
  const all = useMemo(
    () => names.map((name) => ({name, curves: curves(metrics.get(name) ?? [])})),
    [metrics, names.join('\n')],
  );
  const toggle = (name: string) => {
    const next = names.includes(name) ? names.filter((other) => other !== name) : [...names, name].slice(-COLOURS);
    setPicked(next);
    go({view: 'runs', run: next[0] ?? null});
  };
  const lines = (chart: string): Line[] =>
    all.flatMap(({name, curves: found}, colour) =>
      found
        .filter(({figure}) => chartOf(figure) === chart)
        .map(({figure, points}) => ({name, colour, heldOut: figure !== chart, points}))
        .sort((a, b) => Number(a.heldOut) - Number(b.heldOut)),
    );
  return (
    <section class="view" aria-label={words.runs}>
      <Header title={<h1>{words.runs}</h1>}>
        <label class="inline">
          <input type="checkbox" checked={log} onChange={(event) => setLog(event.currentTarget.checked)} />
          {words.logScale}
        </label>
        <label class="inline smoothing">
          <span>{words.smoothing}</span>
          <input
            type="range"
            min={0}
            max={0.98}
            step={0.02}
            value={smoothing}
            onInput={(event) => setSmoothing(Number(event.currentTarget.value))}
          />
        </label>
      </Header>
      <div class="scroll" tabIndex={-1}>
        {trouble && trouble.kind !== 'refused' && <TroubleNote trouble={trouble} />}
        {runs?.length ? (
          <div class="runs">
            <ul class="run-list" aria-label={words.runs}>
              {runs.map((run) => (
                <RunRow key={run.name} run={run} colour={names.indexOf(run.name)} onToggle={() => toggle(run.name)} />
              ))}
            </ul>
            <div class="charts">
              {charts(all.map((run) => run.curves)).map((chart) => (
                <Chart
                  key={chart}
                  title={words.figures[chart] ?? chart.replaceAll('_', ' ')}
                  lines={lines(chart)}
                  log={log}
                  smoothing={smoothing}
                />
              ))}
            </div>
          </div>
        ) : (
          (runs || trouble?.kind === 'refused') && (
            <div class="empty">
              <h2>{words.noRuns}</h2>
              <p class="soft">
                {words.noRunsHint} <code>malssi serve --runs runs/</code>
              </p>
            </div>
          )
        )}
      </div>
    </section>
  );
}

function RunRow({run, colour, onToggle}: {run: Run; colour: number; onToggle: () => void}) {
  const words = useWords();
  const share = run.steps ? Math.min(1, run.step / run.steps) : null;
  return (
    <li class={colour >= 0 ? `run${colour}` : undefined}>
      <label>
        <input type="checkbox" checked={colour >= 0} onChange={onToggle} />
        <span class="name">{run.name}</span>
        <small>
          {[
            run.kind,
            run.steps ? words.stepOf(run.step, run.steps) : words.atStep(run.step),
            words.ago(Date.now() / 1000 - run.updated),
          ].join(' · ')}
        </small>
        {share !== null && share < 1 && <progress value={share} aria-label={words.progress(run.name)} />}
      </label>
    </li>
  );
}
