/** What the page tells a new version of its service worker that waits: to take the old one's place. */
export const TAKE_OVER = 'take-over';

/** Asks a service worker, with `{ type, urls }` and a port for the answer, whether all of these files are its version's. */
export const OWNS = 'owns';
