/** Bytes of files, as their formats take them apart. */

/** @param {Uint8Array} bytes @returns {DataView} */
export function viewOf(bytes) {
  return new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
}

/** @param {string} text whose letters are bytes @returns {Uint8Array} */
export function latin(text) {
  return Uint8Array.from(text, (letter) => letter.charCodeAt(0));
}

/** @param {Uint8Array} bytes @param {number} at @param {string} text whose letters are bytes @returns {boolean} whether it is there */
export function isAt(bytes, at, text) {
  if (at + text.length > bytes.length) return false;
  for (let i = 0; i < text.length; i++) if (bytes[at + i] !== text.charCodeAt(i)) return false;
  return true;
}

/** @param {readonly Uint8Array[]} parts @returns {Uint8Array<ArrayBuffer>} one behind the other */
export function joined(parts) {
  const whole = new Uint8Array(parts.reduce((sum, { length }) => sum + length, 0));
  let at = 0;
  for (const part of parts) {
    whole.set(part, at);
    at += part.length;
  }
  return whole;
}

/**
 * A text of programs that do not say how they write: in UTF-8, as most do whatever they say, or else as Windows wrote.
 * @param {Uint8Array} bytes
 * @returns {{ text: string, isUtf8: boolean }}
 */
export function textIn(bytes) {
  try {
    return { text: new TextDecoder('utf-8', { fatal: true }).decode(bytes), isUtf8: true };
  } catch {
    return { text: new TextDecoder('windows-1252').decode(bytes), isUtf8: false };
  }
}
