// Renders every drawing of drawings.txt once per style, 128 x 128 RGBA.
// usage: node render_drawings.mjs <folder with node_modules> <output folder>
// resvg aborts the whole process on a few icons, so that every style is rendered in a
// child process, which is started again behind the icon it died at.
// Output: <style>.rgba (N * 128 * 128 * 4 bytes) and <style>.json (N icon names).
import { spawnSync } from 'node:child_process';
import { appendFileSync, existsSync, mkdirSync, readFileSync, writeFileSync } from 'node:fs';
import { createRequire } from 'node:module';
import { resolve } from 'node:path';

const [modules, out, onlyStyle, start] = process.argv.slice(2);
const require = createRequire(resolve(modules, 'package.json'));
const { Resvg } = require('@resvg/resvg-js');
const SIDE = 128;
const STYLES = [
  'noto',
  'fluent-emoji-flat',
  'fluent-emoji',
  'twemoji', // the training styles
  'openmoji', // evaluation only
  'emojione',
  'noto-v1',
  'fxemoji',
  'streamline-emojis',
  'fluent-emoji-high-contrast', // more styles to train on
];

const names = readFileSync(new URL('drawings.txt', import.meta.url), 'utf8')
  .split('\n')
  .filter((l) => l && !l.startsWith('#'))
  .map((l) => l.split('\t')[0]);

function renderStyle(style, from) {
  const set = JSON.parse(readFileSync(require.resolve(`@iconify-json/${style}/icons.json`), 'utf8'));
  for (let i = from; i < names.length; i++) {
    const name = names[i];
    writeFileSync(`${out}/${style}.at`, String(i));
    // fxemoji writes names without dashes; streamline numbers its variants.
    const keys = [name, name.replaceAll('-', ''), `${name}-1`, `${name}-2`].filter(
      (k, j, all) => set.icons[k] && all.indexOf(k) === j,
    );
    for (const key of keys) {
      const icon = set.icons[key];
      const [w, h] = [icon.width ?? set.width ?? 16, icon.height ?? set.height ?? 16];
      const svg =
        `<svg xmlns="http://www.w3.org/2000/svg" xmlns:xlink="http://www.w3.org/1999/xlink" ` +
        `width="${SIDE}" height="${SIDE}" viewBox="${icon.left ?? 0} ${icon.top ?? 0} ${w} ${h}">` +
        `${icon.body.replaceAll('currentColor', '#222')}</svg>`;
      const image = new Resvg(svg, { fitTo: { mode: 'width', value: SIDE } }).render();
      if (image.width !== SIDE || image.height !== SIDE) continue;
      appendFileSync(`${out}/${style}.rgba`, image.pixels);
      appendFileSync(`${out}/${style}.names`, name + '\n');
    }
  }
}

if (onlyStyle) {
  renderStyle(onlyStyle, Number(start));
} else {
  mkdirSync(out, { recursive: true });
  for (const style of STYLES) {
    if (existsSync(`${out}/${style}.json`)) continue;
    for (const end of ['rgba', 'names']) writeFileSync(`${out}/${style}.${end}`, '');
    for (let from = 0; ;) {
      const child = spawnSync(process.execPath, [process.argv[1], modules, out, style, String(from)], {
        stdio: 'ignore',
      });
      if (child.status === 0) break;
      from = Number(readFileSync(`${out}/${style}.at`, 'utf8')) + 1;
      console.log(style, 'left out:', names[from - 1]);
    }
    const found = readFileSync(`${out}/${style}.names`, 'utf8').split('\n').filter(Boolean);
    writeFileSync(`${out}/${style}.json`, JSON.stringify(found));
    console.log(style, found.length);
  }
}
