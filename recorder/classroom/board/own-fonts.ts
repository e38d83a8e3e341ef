/**
 * Excalidraw makes its fonts from files of its own, or else from a CDN. Imported before it, this has it make them from the files that
 * are bundled with this page, and from nothing else. Xiaolai, its Chinese handwriting (13 MB in 209 files, loaded
 * character by character while somebody writes), gives way to the system's Chinese font, in its simplified forms.
 */
const BUNDLED = import.meta.glob<string>(
  '/node_modules/@excalidraw/excalidraw/dist/prod/fonts/{Cascadia,ComicShanns,Excalifont,Liberation,Lilita,Nunito,Virgil}/*.woff2',
  { query: '?url', import: 'default', eager: true, exhaustive: true },
);
const HANDWRITTEN_CHINESE = 'Xiaolai';
const SYSTEM_CHINESE =
  'local("Noto Sans CJK SC"), local("NotoSansCJKsc-Regular"), local("PingFangSC-Regular"), local("Microsoft YaHei")';
/** The last code point, which is no character. */
const NO_CHARACTERS = 'U+10FFFF';

const byFileName = new Map(
  Object.entries(BUNDLED).map(([file, url]) => [file.split('/').at(-1) ?? '', url]),
);
let hasChinese = false;

class OwnFontFace extends FontFace {
  constructor(family: string, source: string | BufferSource, descriptors?: FontFaceDescriptors) {
    if (family !== HANDWRITTEN_CHINESE || typeof source !== 'string') {
      super(family, typeof source === 'string' ? bundled(source) : source, descriptors);
      return;
    }
    // one face has all characters: the others of its 209 have none
    super(family, SYSTEM_CHINESE, hasChinese ? { unicodeRange: NO_CHARACTERS } : {});
    hasChinese = true;
  }
}

/** A font's source, `url(…) format(…), …`, from our own bundle. A local font, which has none, stays as it is. */
function bundled(source: string): string {
  const file = /([^/]+\.woff2)\)/.exec(source)?.[1];
  if (file === undefined) return source.includes('url(') ? SYSTEM_CHINESE : source;
  const url = byFileName.get(file);
  return url === undefined ? SYSTEM_CHINESE : `url("${url}") format("woff2")`;
}

globalThis.FontFace = OwnFontFace;
