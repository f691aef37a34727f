/** The one importer of the library of progress bars, which is of CommonJS. */

import progress from 'cli-progress';

export const { SingleBar: Bar, Presets } = progress;
