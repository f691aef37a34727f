import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import test from 'node:test';
import { COMMANDS, EXIT_CODES } from '../../pkg/src/cli/help.js';
import { manPage } from '../../scripts/man-page.mjs';

const page = manPage('1.2.3');

test('the manual page has every command, option and exit code', () => {
  for (const [name, { options, examples }] of Object.entries(COMMANDS)) {
    const begin = page.indexOf(`.SH "OCELLI ${name.toUpperCase()}"\n`);
    assert.ok(begin > 0, name);
    const section = page.slice(begin, page.indexOf('.SH', begin + 1)).replaceAll('\\-', '-');
    for (const option of Object.keys(options)) {
      assert.ok(section.includes(`--${option}`), `${name} ${option}`);
    }
    for (const example of examples) assert.ok(section.includes(example), example);
  }
  for (const code of Object.keys(EXIT_CODES)) assert.ok(page.includes(`\\fB${code}\\fR`), code);
  assert.ok(page.includes('ocelli 1.2.3'));
});

test('the manual page is roff without mistakes', (t) => {
  const { error, stdout, stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww'], {
    input: page,
    encoding: 'utf8',
  });
  if (error) return t.skip('groff is not installed');
  assert.equal(stderr, '');
  assert.ok(stdout.length > page.length / 2);
});
