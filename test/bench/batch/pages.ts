/** Each slide is shown so long, s. */
const SLIDE_S = 12;

/** A class of slides: text and a diagram that change every twelve seconds, a pointer that moves now and then, nothing else. */
export const SLIDES_PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Slides</title>
<style>
  html, body { margin: 0; height: 100%; overflow: hidden; background: #fdfcf8; color: #24313f; font: 30px/1.5 sans-serif }
  main { padding: 56px 80px }
  h1 { font-size: 54px; margin: 0 0 24px; border-bottom: 4px solid #2563ac }
  svg { position: absolute; right: 80px; bottom: 70px }
  i { position: absolute; width: 22px; height: 22px; border-radius: 50%; background: #c0392bcc }
</style>
<main></main><i></i>
<script>
const topics = ['勾股定理 · Pythagoras', '光合作用 · Photosynthesis', 'The French Revolution', '氧化还原 · Redox', 'Iambic pentameter'];
const main = document.querySelector('main');
const pointer = document.querySelector('i');
function show(slide) {
  const bars = Array.from({ length: 6 }, (_, i) => 40 + ((slide * 37 + i * 53) % 180));
  main.innerHTML = '<h1>' + topics[slide % topics.length] + ' ' + (slide + 1) + '</h1><ul>' +
    bars.map((bar, i) => '<li>Point ' + (i + 1) + ' of ' + (slide + 1) + ': ' + bar + ' — 请看右边的图</li>').join('') +
    '</ul><svg width="420" height="240">' +
    bars.map((bar, i) => '<rect x="' + i * 70 + '" y="' + (240 - bar) + '" width="52" height="' + bar + '" fill="hsl(' + i * 55 + ' 55% 50%)"/>').join('') + '</svg>';
}
let shown = -1;
setInterval(() => {
  const seconds = performance.now() / 1000;
  const slide = Math.floor(seconds / ${SLIDE_S});
  if (slide !== shown) show((shown = slide));
  // The pointer moves in two seconds of each slide.
  const within = seconds % ${SLIDE_S};
  if (within < 5 || within > 7) return;
  pointer.style.left = 200 + (within - 5) * 300 + 'px';
  pointer.style.top = 300 + 80 * Math.sin(within * 4) + 'px';
}, 33);
</script>`;

/** A class of faces: four cameras that fill the picture, played from `/camera-0.mp4` to `/camera-3.mp4`. */
export const CAMERAS_PAGE = `<!doctype html>
<meta charset="utf-8">
<title>Cameras</title>
<style>
  html, body { margin: 0; height: 100%; overflow: hidden; background: #202428 }
  main { display: grid; grid-template: 1fr 1fr / 1fr 1fr; gap: 6px; height: 100vh }
  video { width: 100%; height: 100%; object-fit: cover; min-height: 0 }
</style>
<main>${[0, 1, 2, 3].map((i) => `<video src="/camera-${i}.mp4" autoplay loop ${i === 0 ? '' : 'muted'}></video>`).join('')}</main>`;
