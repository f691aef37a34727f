/** A file of the page, as its service worker knows it. */
export interface Listed {
  /** From the page. */
  url: string;
  /** The digest of what is in it, as `integrity` takes it; null where its name has one. */
  revision: string | null;
}

/** All of them; scripts/lib/file-list.mjs makes the list. */
export interface Files {
  /** What the page cannot begin without. */
  eager: Listed[];
  /** What is kept once it has been asked for. */
  lazy: Listed[];
}
