// Tags and describes pictures: `node describe.js a.jpg b.png`
import { Captioner, Tagger } from 'ocelli';

const tagger = await Tagger.load('ocelli');
const captioner = await Captioner.load('ocelli');
for (const file of process.argv.slice(2)) {
  const [best] = await tagger.tag(file, ['a cat', 'a dog', 'a car']);
  const caption = await captioner.caption(file);
  console.log(`${file}: ${caption}; ${best.label}: ${best.score.toFixed(2)}`);
}
