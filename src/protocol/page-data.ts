/** Why a link opens nothing: not signed by us or for something else, too old, taken back, or its thing is gone. */
export type LinkRefusal = 'invalid' | 'expired' | 'revoked' | 'missing';

/** What the api writes into a page people open, as JSON in `#page-data`, so that it is shown without asking. */
export type PageData = {
  readonly refusal: LinkRefusal | null;
  /** The class's name, also where the link opens a clip alone; null when the class was deleted, or the link is refused. */
  readonly recordingTitle: string | null;
};
