// The votes so far, summed up by contestant, and as a file.
import {useEffect} from 'preact/hooks';
import {download} from '../app/files';
import {useWords} from '../i18n/words';
import {useValue} from '../store/observable';
import {scores, votesFile} from './round';
import {clearVotes, loadVotes, votes} from './votes';

export function Scores() {
  const words = useWords();
  const all = useValue(votes);
  useEffect(() => void loadVotes(), []);
  if (!all.length) return null;
  return (
    <section class="scores">
      <h2>{words.votesSoFar(all.length)}</h2>
      <div class="table" tabIndex={0} role="group" aria-label={words.votesSoFar(all.length)}>
        <table>
          <thead>
            <tr>
              {words.scoreColumns.map((name, i) => (
                <th key={name} scope="col" class={i ? 'right' : undefined}>
                  {name}
                </th>
              ))}
            </tr>
          </thead>
          <tbody>
            {scores(all).map(({name, wins, ties, losses}) => (
              <tr key={name}>
                <th scope="row">{name}</th>
                <td class="right">{wins}</td>
                <td class="right">{ties}</td>
                <td class="right">{losses}</td>
              </tr>
            ))}
          </tbody>
        </table>
      </div>
      <div class="row">
        <button type="button" class="plain" onClick={() => download('malssi-votes.jsonl', votesFile(all))}>
          {words.exportVotes}
        </button>
        <button type="button" class="plain" onClick={() => confirm(words.sureVotes) && void clearVotes()}>
          {words.deleteVotes}
        </button>
      </div>
    </section>
  );
}
