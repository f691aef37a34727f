import { Captioner, Tagger } from 'ocelli';

const output = document.querySelector('pre');

async function start() {
  const [tagger, captioner] = await Promise.all([Tagger.load('ocelli'), Captioner.load('ocelli')]);
  output.textContent = 'Ready.';
  document.querySelector('input').addEventListener('change', async ({ target }) => {
    const [best] = await tagger.tag(target.files[0], ['a cat', 'a dog', 'a car']);
    const caption = await captioner.caption(target.files[0]);
    output.textContent = `${caption}\n${best.label}: ${best.score.toFixed(2)}`;
  });
}

start().catch((error) => (output.textContent = error.message));
