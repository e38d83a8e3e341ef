/** A page full of text of many sizes and colours, Chinese too, which is drawn once: where coarser pictures are seen first. */
export function stillPage(): string {
  const paragraphs = Array.from(
    { length: 16 },
    (_, i) =>
      `<p style="font-size:${11 + (i % 5) * 2}px;color:hsl(${i * 37} 60% 30%)">${i + 1}. Plants turn light into
      chemical energy, stored in sugars made of carbon dioxide and water. 光合作用把光能变成化学能。</p>`,
  );
  return `<!doctype html>
<meta charset="utf-8">
<title>Still</title>
<style>body { margin: 24px; background: #fff; columns: 2; font-family: sans-serif }</style>
<h1>Lesson 7: photosynthesis</h1>
${paragraphs.join('\n')}`;
}
