'use client';

import { Captioner, Tagger } from 'ocelli';
import { useEffect, useRef, useState } from 'react';

/** Models are loaded in an effect: it runs in the browser alone, never while the server renders the page. */
export default function TaggerView() {
  const models = useRef(null);
  const [text, setText] = useState('Loading …');

  useEffect(() => {
    const controller = new AbortController();
    const { signal } = controller;
    Promise.all([Tagger.load('ocelli', { signal }), Captioner.load('ocelli', { signal })]).then(
      (loaded) => {
        models.current = loaded;
        setText('Ready.');
      },
      (error) => signal.aborted || setText(error.message),
    );
    return () => {
      controller.abort();
      models.current?.forEach((model) => model.dispose());
    };
  }, []);

  async function describe({ target }) {
    const [tagger, captioner] = models.current;
    const [best] = await tagger.tag(target.files[0], ['a cat', 'a dog', 'a car']);
    const caption = await captioner.caption(target.files[0]);
    setText(`${caption}\n${best.label}: ${best.score.toFixed(2)}`);
  }

  return (
    <>
      <label>
        Picture: <input type="file" accept="image/*" onChange={describe} />
      </label>
      <pre role="status">{text}</pre>
    </>
  );
}
