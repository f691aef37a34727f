import assert from 'node:assert/strict';
import test from 'node:test';
import { xmpPacket } from '../../pkg/src/index.js';

test('a sidecar has what is given, and nothing else', () => {
  const text = xmpPacket({ subjects: ['R&D', '<b>', 'a\u0000b'], description: 'two "words"' });
  assert.match(text, /<rdf:li>R&amp;D<\/rdf:li>\s*<rdf:li>&lt;b&gt;<\/rdf:li>\s*<rdf:li>ab<\/rdf:li>/);
  assert.match(text, /<rdf:li xml:lang="x-default">two &quot;words&quot;<\/rdf:li>/);
  assert.match(text, /x:xmptk="ocelli"/);
  assert.doesNotMatch(text, /lightroom|hierarchical/);
  assert.match(xmpPacket({ hierarchicalSubjects: ['animal|dog'] }), /xmlns:lr=.*<lr:hierarchicalSubject>/s);
  assert.doesNotMatch(xmpPacket({}), /rdf:li/);
});

test('what is no such content is refused in a sentence', () => {
  for (const [content, message] of [
    [undefined, /options must be an object/],
    [{ subjects: 'dog' }, /subjects must be an array/],
    [{ subjects: [{ label: 'cat' }] }, /subject 1 is none/],
    [{ subject: ['dog'] }, /did you mean subjects\?/],
    [{ description: 5 }, /description must be a string/],
  ]) {
    assert.throws(() => xmpPacket(content), { code: 'argument-invalid', message });
  }
});
