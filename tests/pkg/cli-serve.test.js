// The command line's answers over HTTP.

import assert from 'node:assert/strict';
import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { readFileSync } from 'node:fs';
import { request } from 'node:http';
import test from 'node:test';
import { CAT, CLI, ocelli, skip } from './support/cli.js';

test('pictures are answered over HTTP, and web pages are not', { skip }, async (t) => {
  const server = spawn(process.execPath, [CLI, 'serve', '--port', '0', '--quiet'], { stdio: 'pipe' });
  const ended = new Promise((resolve) => server.on('exit', resolve));
  t.after(() => server.kill('SIGKILL'));
  const told = await new Promise((resolve) => server.stderr.once('data', (data) => resolve(String(data))));
  const [url] = /http:\/\/localhost:[1-9]\d+/.exec(told) ?? [];
  assert.ok(url, told);
  const cat = readFileSync(CAT);
  const post = (route, body, headers = {}) => fetch(url + route, { method: 'POST', body, headers });
  const refused = async (answer) => {
    const { status } = await answer;
    const { code, message } = await (await answer).json();
    return `${status} ${code}: ${message}`;
  };

  await t.test('tags, captions, vectors', async () => {
    const tags = await (await post('/tag?labels=a cat,a dog&top=1', cat)).json();
    assert.equal(tags.tags[0].label, 'a cat');
    const likely = await (await post('/tag?labels=a cat,a bicycle&threshold=0.5', cat)).json();
    assert.equal(likely.tags.length, 1);
    const everyday = await (await post('/tag?top=50&threshold=0.3', cat)).json();
    assert.ok(everyday.tags.every(({ score }) => score >= 0.3) && everyday.tags.length > 0);
    assert.match((await (await post('/caption', cat)).json()).caption, /cat/);
    const vectors = await Promise.all([
      post('/embed', cat),
      post('/embed?text=a cat', ''),
      fetch(`${url}/embed?text=a+cat`),
      fetch(`${url}/embed?text=a%20dog`),
    ]);
    const [picture, text, same, other] = await Promise.all(
      vectors.map(async (answer) => (await answer.json()).embedding),
    );
    assert.equal(picture.length, text.length);
    assert.deepEqual(text, same);
    assert.notDeepEqual(text, other);
    const line = (await ocelli(['embed', '--text', '-'], { input: 'a cat' })).out;
    assert.deepEqual(JSON.parse(line).embedding.length, text.length);
  });

  await t.test('what is wrong is said with the remedy', async () => {
    const form = new FormData();
    form.set('file', new Blob([cat]));
    for (const [answer, wanted] of [
      [post('/tag', 'no picture', { 'content-type': 'image/png' }), /^400 image-unsupported: [^`]*$/],
      // As `curl -d` and `curl -F` send it.
      [
        post('/tag', 'a=b', { 'content-type': 'application/x-www-form-urlencoded' }),
        /^400 image-unsupported: .*--data-binary @cat\.jpg/,
      ],
      [post('/tag', form), /^415 argument-invalid: A form is no picture.*--data-binary @cat\.jpg/],
      [post('/tag?label=cat', cat), /^400 .*no parameter label: did you mean labels\?/],
      [post('/tag?threshold=2', cat), /^400 argument-invalid: threshold must be a number from 0 to 1/],
      [post('/tag?top=', cat), /^400 argument-invalid: top must be a whole number above zero/],
      [post('/embed?text=x', cat), /^400 argument-invalid: Either a text or a picture/],
      [post('/embed?text=', ''), /^400 label-empty/],
      [post('/caption?text=x', cat), /^400 .*no parameter text: there is none here/],
      [post('/nothing', ''), /^404 not-found/],
      [post('/constructor', ''), /^404 not-found/],
      [fetch(`${url}/tag`), /^405 .*--data-binary/],
      [fetch(`${url}/embed`), /^405/],
      [post('/tag', cat, { origin: 'https://elsewhere.example' }), /^403/],
    ]) {
      assert.match(await refused(answer), wanted);
    }
    const options = { method: 'POST', headers: { 'content-length': (256 << 20) + 1 } };
    const large = request(`${url}/tag`, options);
    large.on('error', () => {});
    large.write('the beginning');
    const [{ statusCode }] = await once(large, 'response');
    large.destroy();
    assert.equal(statusCode, 413, 'before all of it has come');
  });

  server.kill('SIGINT');
  assert.equal(await ended, 130);
});
