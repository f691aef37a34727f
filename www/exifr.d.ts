/** What the page uses of the library: the types that come with it are Node's as well. */
declare module 'exifr/dist/full.esm.mjs' {
  export function parse(
    file: Uint8Array,
    options: { ifd0: string[]; exif: string[]; iptc: string[] },
  ): Promise<Record<string, unknown> | undefined>;

  /** As EXIF numbers it. */
  export function orientation(file: Uint8Array): Promise<number | undefined>;
}
