// The browser's reader and writer of XML, for tests in Node.

import { DOMParser, XMLSerializer, onErrorStopParsing } from '@xmldom/xmldom';

/** Browsers refuse what is not well-formed, too. */
class StrictParser extends DOMParser {
  constructor() {
    super({ onError: onErrorStopParsing });
  }
}

Object.assign(globalThis, { DOMParser: StrictParser, XMLSerializer });
