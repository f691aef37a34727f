/**
 * `<map-view>`: a picture, and over it, when asked for, the map of what a model went by, with a line that says so. In the
 * large view it can be zoomed; elsewhere it dispatches `enlarge` when it is clicked. Dispatches `unshown` where the browser cannot
 * show the picture.
 */

import { button, make, tell, write } from './dom.js';
import { Zoom } from './zoom.js';

/** The longer side of a map in pixels: smooth for the eye, and quick to paint. */
const SIDE = 320;

/** @typedef {(width: number, height: number) => { data: Uint8ClampedArray, width: number, height: number }} Paint */

class MapView extends HTMLElement {
  #image = make('img', { alt: '', decoding: 'async', draggable: false });
  #canvas = make('canvas', { className: 'map', hidden: true, 'aria-hidden': 'true' });
  #note = make('p', { className: 'map-note', hidden: true });
  /** Stands in the place of what the browser does not show. */
  #blank = make('p', { className: 'card-blank' });
  #enlarge = button('', 'card-enlarge', () => tell(this, 'enlarge'));

  #zoom = new Zoom(this, () => ({
    width: this.#image.naturalWidth,
    height: this.#image.naturalHeight,
  }));

  /** @param {string} key @returns {boolean} whether it makes the picture larger or smaller, or moves it */
  key(key) {
    return this.#zoom.key(key);
  }

  /** @param {string} address of the picture @param {string} name */
  open(address, name) {
    this.className = 'card-frame';
    this.#enlarge.ariaLabel = `Enlarge ${name}`;
    this.#image.src = address;
    this.#image.addEventListener('error', () => {
      this.#image.replaceWith(this.#blank);
      tell(this, 'unshown');
    });
    this.append(this.#image, this.#canvas, this.#note, this.#enlarge, this.#zoom.controls);
  }

  /** @param {string | null} address of what the browser shows in the picture's place; null where there is nothing */
  showInstead(address) {
    if (address === null) {
      this.#zoom.controls.remove();
      this.#enlarge.remove();
      write(this.#blank, 'No preview');
      return;
    }
    this.#image = make('img', { alt: '', decoding: 'async', draggable: false, src: address });
    this.#blank.replaceWith(this.#image);
  }

  /** @param {string} note what is being found out, or why it cannot be */
  say(note) {
    this.#canvas.hidden = true;
    this.#note.hidden = false;
    write(this.#note, note);
  }

  /** @param {string} note what the map shows @param {Paint} paint makes its pixels */
  show(note, paint) {
    this.say(note);
    const { naturalWidth, naturalHeight } = this.#image;
    if (naturalWidth === 0 || naturalHeight === 0) return;
    const scale = SIDE / Math.max(naturalWidth, naturalHeight);
    const width = Math.max(1, Math.round(naturalWidth * scale));
    const height = Math.max(1, Math.round(naturalHeight * scale));
    const { data } = paint(width, height);
    this.#canvas.width = width;
    this.#canvas.height = height;
    this.#canvas
      .getContext('2d')
      ?.putImageData(new ImageData(new Uint8ClampedArray(data), width, height), 0, 0);
    this.#canvas.hidden = false;
  }

  /** Shows the whole picture. */
  fit() {
    this.#zoom.reset();
  }

  /** Puts the keyboard on the picture, unless it is large, or there is none to see. */
  takeFocus() {
    this.#enlarge.focus();
  }

  clear() {
    this.#canvas.hidden = this.#note.hidden = true;
    write(this.#note, '');
  }
}

customElements.define('map-view', MapView);
export { MapView };
