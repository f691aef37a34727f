// Labels as people write them, and as many as are wanted.

const NOUNS =
  `apple banana orange lemon bread cheese pizza sandwich cake cookie coffee teapot cup bowl plate fork knife
spoon bottle glass chair table sofa bed lamp clock mirror window door curtain carpet book newspaper pencil notebook
scissors computer keyboard telephone camera television radio guitar piano violin drum trumpet car bus train bicycle
motorcycle truck airplane helicopter boat ship bridge road river lake mountain beach forest garden flower rose tulip
tree leaf grass cat dog horse cow sheep pig goat chicken duck goose elephant lion tiger bear monkey rabbit mouse
squirrel snake frog fish shark whale dolphin sun moon star cloud rainbow`.split(/\s+/);
const ADJECTIVES =
  `red green blue yellow black white grey brown pink purple small large tiny huge old new young ancient
modern wooden metal plastic stone paper broken clean dirty wet dry shiny dull soft hard round square flat tall short
wide narrow heavy light fast slow loud quiet warm cold hot frozen sweet sour fresh ripe empty full open closed bright
dark plain fancy simple strange famous common rare cheap expensive beautiful ugly happy sad angry sleepy hungry wild
tame gentle fierce proud lonely busy lazy clever brave shy curious friendly golden silver striped spotted fluffy
smooth rough sharp blunt curly straight crooked thick thin muddy snowy rusty`.split(/\s+/);

/** Up to 100 plain words. @param {number} count */
export function words(count) {
  return NOUNS.slice(0, count);
}

/** Up to 10,000 labels, no two alike. @param {number} count */
export function labels(count) {
  return Array.from({ length: count }, (_, i) => {
    const [noun, kind] = [NOUNS[i % NOUNS.length], Math.floor(i / NOUNS.length)];
    return kind === 0 ? `${noun}` : `${ADJECTIVES[kind - 1]} ${noun}`;
  });
}
