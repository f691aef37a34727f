import assert from 'node:assert/strict';
import test from 'node:test';
import { models } from 'ocelli';
import { costOf, suggestionLine, suggestions, worthOf } from '../../www/model-words.js';

const BUILT_IN = models.find('ocelli');

test('each task has its suggestions: models of the list, the modest one first', () => {
  const lines = (task) => suggestions(task).map(({ name, model }) => suggestionLine(name, model));
  assert.match(lines('tag')[0], /^Better tags, [12]\d\d MB$/);
  assert.match(lines('caption')[0], /^Best captions, 271 MB$/);
  assert.deepEqual(lines('classify'), []);
  for (const task of ['tag', 'caption', 'match', 'answer']) {
    for (const { model } of suggestions(task)) assert.deepEqual(models.find(model.id), model);
  }
});

test('every published figure is told in words', () => {
  for (const model of models.list()) {
    assert.equal(worthOf(model).includes('as published'), model.accuracy !== null, model.id);
  }
  assert.match(worthOf(models.find('google/siglip2-base-patch16-224')), / names 78 .*hundred languages/);
});

test('what a picture takes is told beside the model in use, in as many digits as are known', () => {
  const large = models.find('Xenova/siglip-base-patch16-224');
  const time = 'about 10 times as long as with the built-in model';
  assert.equal(costOf(large, BUILT_IN, null), `A picture takes ${time}.`);
  assert.equal(costOf(large, BUILT_IN, 52), `A picture takes ${time}, here at most about 0.5\u00a0s.`);
  assert.equal(costOf(BUILT_IN, large, 500), '', 'what is quicker costs nothing');
  assert.equal(costOf(large, large, 500), '');
});
