/** What the page tells a new version of its service worker that waits: to take the old one's place. */
export const TAKE_OVER = 'take-over';
