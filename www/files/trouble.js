/** What is wrong with a file, in a sentence for people and a code for the page. */
export class Trouble extends Error {
  /** @param {'xmp-damaged' | 'xmp-unsafe' | 'answers-damaged' | 'answers-too-large' | 'answers-unknown' | 'folder-refused'} code @param {string} sentence */
  constructor(code, sentence, /** @type {ErrorOptions} */ options = {}) {
    super(sentence, options);
    this.name = 'Trouble';
    this.code = code;
  }
}
