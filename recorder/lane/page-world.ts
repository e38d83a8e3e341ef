/**
 * Scripts of ours run in a JavaScript world of their own: they see the page's document, the page sees neither them nor their bindings,
 * so that a page can be slow or stuck, but not lie about it. (It can clear timers by number; then it counts as frozen.)
 */
export const WORLD = 'chalkreel';
/** Videos of a page that are looked at; a page may have any number. */
export const MAX_VIDEOS = 64;
