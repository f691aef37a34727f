// What ExifTool, which photo programs are measured by, reads of what the page writes.

import './support/dom.js';
import assert from 'node:assert/strict';
import { execFileSync, spawnSync } from 'node:child_process';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import path from 'node:path';
import test from 'node:test';
import { filesOf } from '../../www/export.js';
import { JFIF, jpeg, png, sampleWebp } from './support/files.js';

const isHere = spawnSync('exiftool', ['-ver']).status === 0;
const whereItIs = { skip: !isHere && 'exiftool is not installed (Debian: libimage-exiftool-perl)' };

/** A folder that goes with its test. @param {import('node:test').TestContext} t */
function folderOf(t) {
  const folder = mkdtempSync(path.join(tmpdir(), 'ocelli-exiftool-'));
  t.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

const ROW = {
  tags: ['Hund & Katze', '犬', 'כלב', '<b>"x"</b>'],
  hierarchy: ['Tier|Hund & Katze', '動物|犬'],
  caption: 'Ein Hund am Meer:\n海辺の犬 🐕',
};

test('ExifTool reads all of it from pictures and sidecars, and finds nothing amiss', whereItIs, async (t) => {
  const folder = folderOf(t);
  const originals = { 'a.jpg': jpeg(JFIF), 'b.png': png(), 'c.webp': sampleWebp() };
  const rows = Object.entries(originals).map(([name, bytes]) => ({
    ...ROW,
    path: name,
    original: new Blob([bytes]),
  }));
  /** @type {string[]} */
  const files = [];
  /** @param {AsyncIterable<{ name: string, blob: Blob }>} made */
  const keep = async (made) => {
    for await (const { name, blob } of made) {
      files.push(path.join(folder, name));
      writeFileSync(path.join(folder, name), Buffer.from(await blob.arrayBuffer()));
    }
  };
  await keep(filesOf(rows, 'pictures'));
  await keep(filesOf(rows.slice(0, 1), 'xmp'));
  // Once more into one that somebody else has written.
  const theirs = path.join(folder, 'theirs.jpg');
  writeFileSync(theirs, jpeg(JFIF));
  execFileSync('exiftool', ['-q', '-overwrite_original', '-XMP-dc:Subject=Rex', '-XMP:Rating=4', theirs]);
  const { openAsBlob } = await import('node:fs');
  await keep(filesOf([{ ...ROW, path: 'merged.jpg', original: await openAsBlob(theirs) }], 'pictures'));

  const wanted = ['-Subject', '-HierarchicalSubject', '-Description', '-Rating', '-Warning', '-Error'];
  const said = JSON.parse(
    execFileSync('exiftool', ['-json', '-struct', '-validate', '-a', ...wanted, ...files], {
      encoding: 'utf8',
    }),
  );
  assert.equal(said.length, 5);
  for (const { SourceFile, Subject, HierarchicalSubject, Description, Rating, Validate, ...rest } of said) {
    const isMerged = SourceFile.endsWith('merged.jpg');
    assert.deepEqual(Subject, [...(isMerged ? ['Rex'] : []), ...ROW.tags], SourceFile);
    const { hierarchy } = ROW;
    const flat = Subject.filter((word) => !hierarchy.some((path) => path.split('|').includes(word)));
    assert.deepEqual(HierarchicalSubject, [...hierarchy, ...flat]);
    assert.equal(Description, ROW.caption);
    assert.equal(Rating, isMerged ? 4 : undefined);
    assert.equal(Validate, 'OK', SourceFile);
    assert.deepEqual(rest, {}, 'no warnings');
  }
});

test('ExifTool finds what was taken away in no field of a copy, and nothing amiss', whereItIs, async (t) => {
  const folder = folderOf(t);
  const file = path.join(folder, 'a.jpg');
  writeFileSync(file, jpeg(JFIF));
  const caption = 'Opa im Grünen, 1962';
  execFileSync('exiftool', [
    ...[
      '-q',
      '-overwrite_original',
      '-codedcharacterset=utf8',
      '-IPTC:Keywords=Opa',
      '-IPTC:Keywords=Müller',
    ],
    ...[`-IPTC:Caption-Abstract=${caption}`, '-IPTC:City=Zürich', `-EXIF:ImageDescription=${caption}`],
    ...['-EXIF:XPKeywords=Opa;Müller', `-EXIF:XPComment=${caption}`, '-EXIF:Artist=Tante Gerda', file],
  ]);
  const { openAsBlob } = await import('node:fs');
  const row = {
    ...{ path: 'a.jpg', tags: ['Müller'], hierarchy: [], gone: ['Opa'], original: await openAsBlob(file) },
    ...{ caption: 'Öse', captionIsOwn: true, captionThere: caption },
  };
  for await (const { blob } of filesOf([row], 'pictures')) {
    writeFileSync(file, Buffer.from(await blob.arrayBuffer()));
  }
  const [said] = JSON.parse(
    execFileSync('exiftool', ['-json', '-validate', '-all', '-a', '-G', file], { encoding: 'utf8' }),
  );
  assert.deepEqual(
    ['IPTC:Keywords', 'IPTC:Caption-Abstract', 'IPTC:City', 'EXIF:ImageDescription', 'EXIF:Artist'].map(
      (field) => said[field],
    ),
    ['Müller', 'Öse', 'Zürich', 'Öse', 'Tante Gerda'],
  );
  assert.deepEqual(
    ['EXIF:XPKeywords', 'EXIF:XPComment', 'XMP:Subject', 'XMP:Description'].map((field) => said[field]),
    ['Müller', 'Öse', 'Müller', 'Öse'],
  );
  assert.equal(said['ExifTool:Validate'], 'OK', JSON.stringify(said));
});
