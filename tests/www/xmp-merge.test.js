import './support/dom.js';
import assert from 'node:assert/strict';
import test from 'node:test';
import { xmpPacket } from 'ocelli';
import { mergedXmp, readXmp } from '../../www/files/xmp-merge.js';

/** @param {string} inside @param {string} [attributes] */
const packet = (inside, attributes = '') => `<?xpacket begin="\ufeff" id="W5M0MpCehiHzreSzNTczkc9d"?>
<x:xmpmeta xmlns:x="adobe:ns:meta/" x:xmptk="Somebody 1.0">
 <rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
  <rdf:Description rdf:about="" xmlns:xmp="http://ns.adobe.com/xap/1.0/" xmp:Rating="4" />
  <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"
    xmlns:crs="http://ns.adobe.com/camera-raw-settings/1.0/" ${attributes}>
   <crs:ToneCurve><rdf:Seq><rdf:li>0, 0</rdf:li><rdf:li>255, 255</rdf:li></rdf:Seq></crs:ToneCurve>
   ${inside}
  </rdf:Description>
 </rdf:RDF>
</x:xmpmeta>
<?xpacket end="w"?>`;

const THEIRS = packet(`<dc:subject><rdf:Bag><rdf:li>Dog</rdf:li><rdf:li>Rex</rdf:li></rdf:Bag></dc:subject>
  <dc:description><rdf:Alt>
    <rdf:li xml:lang="x-default">theirs</rdf:li><rdf:li xml:lang="de">deren</rdf:li>
  </rdf:Alt></dc:description>`);

const OURS = {
  subjects: ['dog', 'beach', 'beach'],
  hierarchicalSubjects: ['animal|dog'],
  description: 'a <dog> & "sea"',
};

test('what nobody has written before is a packet of our own', () => {
  for (const none of [null, '', ' \n']) {
    assert.equal(
      mergedXmp(none, OURS),
      xmpPacket({ ...OURS, hierarchicalSubjects: ['animal|dog', 'beach'] }),
    );
  }
});

test('keywords come to those that are there, once, and all else stays', () => {
  const merged = mergedXmp(THEIRS, OURS);
  assert.deepEqual(readXmp(merged), {
    tags: ['Dog', 'Rex', 'beach'],
    hierarchy: ['animal|dog'],
    caption: 'a <dog> & "sea"',
  });
  for (const kept of ['xmp:Rating="4"', 'Somebody 1.0', '<rdf:li>255, 255</rdf:li>', '>deren</rdf:li>']) {
    assert.ok(merged.includes(kept), kept);
  }
  assert.match(merged, /^<\?xpacket begin="\ufeff".*<\?xpacket end="w"\?>\n$/s);
  assert.equal(mergedXmp(merged, OURS), merged, 'once more changes nothing');
});

test('a list of paths has all keywords, as who reads it looks at no other', () => {
  const listed = (text) => [...text.matchAll(/<rdf:li>([^<]*)</g)].map(([, word]) => word);
  const flat = mergedXmp(THEIRS, { subjects: ['sea'] });
  assert.doesNotMatch(flat, /hierarchicalSubject/, 'where nothing is below anything, there is none');
  const merged = mergedXmp(THEIRS, OURS);
  const list = /hierarchicalSubject.*hierarchicalSubject/s.exec(merged)?.[0] ?? '';
  assert.deepEqual(listed(list), ['animal|dog', 'Rex', 'beach'], 'and those that are above others, once');
});

test('lists of digiKam and Windows are kept in step', () => {
  const theirs = packet(
    `<dc:subject><rdf:Bag><rdf:li>Mama</rdf:li><rdf:li>Sintra</rdf:li></rdf:Bag></dc:subject>
     <digiKam:TagsList><rdf:Seq><rdf:li>Family/Mama</rdf:li><rdf:li>Places/Sintra</rdf:li></rdf:Seq></digiKam:TagsList>
     <MicrosoftPhoto:LastKeywordXMP><rdf:Bag><rdf:li>Family/Mama</rdf:li></rdf:Bag></MicrosoftPhoto:LastKeywordXMP>`,
    'xmlns:digiKam="http://www.digikam.org/ns/1.0/" xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0/"',
  );
  assert.deepEqual(readXmp(theirs).hierarchy, ['Family|Mama', 'Places|Sintra']);
  const bare = theirs.replace(/<dc:subject>.*<\/dc:subject>/s, '');
  assert.deepEqual(readXmp(bare).tags, ['Family|Mama', 'Places|Sintra'], 'where they are all that there is');
  const ours = { ...OURS, subjects: ['dog', 'Rex', 'sintra'], rejected: ['mama'] };
  const merged = mergedXmp(theirs, ours);
  const listed = (name) => {
    const list = new RegExp(`<${name}>(.*)</${name}>`, 's').exec(merged)?.[1] ?? '';
    return [...list.matchAll(/<rdf:li[^>]*>([^<]*)</g)].map(([, word]) => word);
  };
  assert.deepEqual(listed('digiKam:TagsList'), ['Places/Sintra', 'animal/dog', 'Rex']);
  assert.match(merged, /<digiKam:TagsList><rdf:Seq>/);
  assert.deepEqual(listed('MicrosoftPhoto:LastKeywordXMP'), ['animal/dog', 'Sintra', 'Rex']);
  const again = mergedXmp(merged, ours);
  assert.equal(mergedXmp(again, ours), again, 'once more changes nothing');
  const alone = readXmp(mergedXmp(theirs, { subjects: ['sea'] }, { keepOthers: false }));
  assert.deepEqual([alone.tags, alone.hierarchy], [['sea'], []]);
});

test('ExifTool’s list of Windows’ keywords is kept in step as well', () => {
  const packet = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about="" xmlns:MicrosoftPhoto="http://ns.microsoft.com/photo/1.0">
     <MicrosoftPhoto:LastKeywordXMP><rdf:Bag><rdf:li>Sommer</rdf:li><rdf:li>Strand</rdf:li></rdf:Bag></MicrosoftPhoto:LastKeywordXMP>
    </rdf:Description></rdf:RDF></x:xmpmeta>`;
  const merged = mergedXmp(packet, { subjects: ['Strand'], rejected: ['Sommer'] });
  assert.match(merged, /LastKeywordXMP><rdf:Bag><rdf:li>Strand<\/rdf:li><\/rdf:Bag>/);
});

test('a sentence that is replaced goes from other languages where it is the same', () => {
  const packet = `<x:xmpmeta xmlns:x="adobe:ns:meta/"><rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#">
    <rdf:Description rdf:about="" xmlns:dc="http://purl.org/dc/elements/1.1/"><dc:description><rdf:Alt>
     <rdf:li xml:lang="x-default">Oma im Garten</rdf:li><rdf:li xml:lang="de">Oma im Garten</rdf:li><rdf:li xml:lang="fr">Mémé</rdf:li>
    </rdf:Alt></dc:description></rdf:Description></rdf:RDF></x:xmpmeta>`;
  const merged = mergedXmp(packet, { description: 'Opa' });
  assert.ok(!merged.includes('Oma') && merged.includes('Mémé'), merged);
  assert.equal(merged.match(/>Opa</g)?.length, 2);
});

test('a keyword with a comma, which tags here have not, is not written twice', () => {
  const theirs = packet('<dc:subject><rdf:Bag><rdf:li>Müller, Hans</rdf:li></rdf:Bag></dc:subject>');
  assert.deepEqual(readXmp(mergedXmp(theirs, { subjects: ['Müller Hans', 'sea'] })).tags, [
    'Müller, Hans',
    'sea',
  ]);
  assert.deepEqual(readXmp(mergedXmp(theirs, { subjects: [], rejected: ['Müller Hans'] })).tags, []);
});

test('a list from which the last word is taken goes itself', () => {
  const lists = packet(
    `<dc:subject><rdf:Bag> <rdf:li>Rex</rdf:li> </rdf:Bag></dc:subject>
    <digiKam:TagsList xmlns:digiKam="http://www.digikam.org/ns/1.0/"><rdf:Seq> <rdf:li>pets/Rex</rdf:li> </rdf:Seq></digiKam:TagsList>`,
  );
  const merged = mergedXmp(lists, { rejected: ['rex'] });
  assert.doesNotMatch(merged, /dc:subject>|TagsList/);
  assert.match(mergedXmp(merged, { subjects: ['dog'] }), /<dc:subject[^]*<rdf:li>dog</);
});

test('others may be left out, and their sentence left in', () => {
  assert.deepEqual(readXmp(mergedXmp(THEIRS, OURS, { keepOthers: false })).tags, ['dog', 'beach']);
  assert.deepEqual(readXmp(mergedXmp(THEIRS, { subjects: [] }, { keepOthers: false })).tags, []);
  assert.equal(readXmp(mergedXmp(THEIRS, OURS, { keepCaption: true })).caption, 'theirs');
  assert.equal(readXmp(mergedXmp(packet(''), OURS, { keepCaption: true })).caption, OURS.description);
  assert.equal(readXmp(mergedXmp(THEIRS, { subjects: ['sea'] })).caption, 'theirs');
});

test('properties are found in whatever form they are written', () => {
  const attributes = packet('', 'dc:subject="Rex" dc:description="theirs"');
  assert.deepEqual(readXmp(attributes), { tags: ['Rex'], hierarchy: [], caption: 'theirs' });
  const merged = mergedXmp(attributes, OURS);
  assert.deepEqual(readXmp(merged).tags, ['Rex', 'dog', 'beach']);
  assert.equal(readXmp(merged).caption, OURS.description);
  assert.doesNotMatch(merged, /dc:subject=|dc:description=/);

  const plain = packet('<dc:subject>Rex</dc:subject><dc:description>theirs</dc:description>');
  assert.deepEqual(readXmp(mergedXmp(plain, OURS)).tags, ['Rex', 'dog', 'beach']);
  const noDefault = packet(
    '<dc:description><rdf:Alt><rdf:li xml:lang="de">deren</rdf:li></rdf:Alt></dc:description>',
  );
  assert.equal(readXmp(noDefault).caption, 'deren');
  assert.match(mergedXmp(noDefault, OURS), /x-default">a &lt;dog.*deren/s);

  const otherPrefixes = THEIRS.replaceAll('dc:', 'd:').replaceAll('xmlns:dc', 'xmlns:d');
  assert.deepEqual(readXmp(mergedXmp(otherPrefixes, OURS)).tags, ['Dog', 'Rex', 'beach']);
  const bare = '<rdf:RDF xmlns:rdf="http://www.w3.org/1999/02/22-rdf-syntax-ns#"/>';
  assert.deepEqual(readXmp(mergedXmp(bare, OURS)).tags, ['dog', 'beach']);
  const declared = `\ufeff<?xml version="1.0" encoding="UTF-16"?>\n${bare}\0\0`;
  assert.match(mergedXmp(declared, OURS), /^<\?xpacket begin=(?!.*UTF-16).*<\?xpacket end="w"\?>\n$/s);
});

test('what no XML can hold is left out', () => {
  const merged = mergedXmp(THEIRS, { subjects: ['a\u0000\u0008b'], description: '\ufffex' });
  assert.deepEqual(readXmp(merged).tags, ['Dog', 'Rex', 'ab']);
  assert.equal(readXmp(merged).caption, 'x');
});

test('damaged and malicious texts are refused in a sentence', () => {
  const bomb = '<!DOCTYPE a [<!ENTITY b "bbbbbbbbbb">]>';
  for (const [text, code] of [
    ['no XML', 'xmp-damaged'],
    [THEIRS.slice(0, 700), 'xmp-damaged'],
    [THEIRS.replace('</rdf:Bag>', ''), 'xmp-damaged'],
    ['<a/>', 'xmp-damaged'],
    [THEIRS.replace('<x:xmpmeta', `${bomb}<x:xmpmeta`), 'xmp-unsafe'],
    [`<a>${'b'.repeat(4_000_000)}</a>`, 'xmp-unsafe'],
  ]) {
    assert.throws(() => readXmp(text), { name: 'Trouble', code, message: /^That XMP .*\.$/ });
    assert.throws(() => mergedXmp(text, OURS), { code });
  }
});
