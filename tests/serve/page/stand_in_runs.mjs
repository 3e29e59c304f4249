// The stand-in's training runs: two that are over, one that goes on while it is watched.
const STEPS = {'english-base': 2000, 'chat-sft': 600, 'maths-grpo': 400};
const KINDS = {'english-base': 'pretrain', 'chat-sft': 'sft', 'maths-grpo': 'grpo'};
let asked = 0; // times; each finds the run two steps further

const noise = (step, salt) => (Math.sin(step * 12.9898 + salt * 78.233) * 43758.5453) % 1;
const done = (name) => (name === 'maths-grpo' ? Math.min(STEPS[name], 120 + 2 * asked) : STEPS[name]);

function line(name, step) {
  const salt = name.length;
  const part = step / STEPS[name];
  const out = {
    step,
    tokens: step * 4096,
    elapsed_seconds: step / 3,
    memory_bytes: 64e6,
    lr: 1e-3 * Math.min(1, step / 50) * (1 - 0.9 * part),
  };
  out.grad_norm = 0.5 + 2 * Math.exp(-8 * part) + 0.2 * noise(step, salt + 1);
  out.loss =
    name === 'maths-grpo'
      ? 0.02 * noise(step, salt)
      : 1.6 + 7.5 * Math.exp(-12 * part) + 0.8 * Math.exp(-2 * part) + 0.12 * noise(step, salt);
  out.val_loss = step % 50 === 0 && name !== 'maths-grpo' ? out.loss + 0.06 : null;
  if (name === 'maths-grpo')
    Object.assign(out, {
      reward: 0.1 + 0.7 * (1 - Math.exp(-3 * part)) + 0.06 * noise(step, 5),
      accuracy: 0.05 + 0.8 * part,
      kl: 0.08 * part,
    });
  return out;
}

export const runs = {
  list: () =>
    Object.keys(STEPS).map((name, i) => ({
      name,
      kind: KINDS[name],
      step: done(name),
      steps: STEPS[name],
      updated: Date.now() / 1000 - [86400 * 3, 7200, 1][i],
    })),
  metrics: (name, after) => {
    if (!(name in STEPS)) return null;
    asked += 1;
    return Array.from({length: done(name) + 1}, (_, step) => step)
      .filter((step) => step > after && step % 2 === 0)
      .map((step) => line(name, step));
  },
};
