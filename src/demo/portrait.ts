import type { Look } from './cast.ts';

/** Size of a camera's picture, pixels. */
export const CAMERA_WIDTH = 320;
export const CAMERA_HEIGHT = 180;

/**
 * A camera's picture as SVG: a person at a desk, at `phase` (0 to 1) of an endless loop of breathing,
 * nodding, talking and blinking. Phase 1 looks like phase 0.
 */
export function drawPortrait(look: Look, phase: number): string {
  const turn = 2 * Math.PI * phase;
  const breathe = Math.sin(turn) * 1.2;
  const nod = Math.sin(turn * 2) * 1.6;
  const sway = Math.sin(turn) * 2.2;
  const mouth = 1.4 + Math.max(0, Math.sin(turn * 6)) * 3.2;
  const blinks = phase > 0.46 && phase < 0.5;
  return `<svg xmlns="http://www.w3.org/2000/svg" width="${CAMERA_WIDTH}" height="${CAMERA_HEIGHT}">
<defs><linearGradient id="w" x1="0" y1="0" x2="0" y2="1"><stop offset="0" stop-color="${look.wall}"/>
<stop offset="1" stop-color="${look.wallShade}"/></linearGradient></defs>
<rect width="320" height="180" fill="url(#w)"/>
${backdrop(look)}
<g transform="translate(${(sway * 0.4).toFixed(2)} ${breathe.toFixed(2)})">${body(look)}</g>
<g transform="translate(${sway.toFixed(2)} ${(breathe + nod).toFixed(2)})">${head(look, mouth, blinks)}</g>
${desk(look)}
</svg>`;
}

function backdrop(look: Look): string {
  switch (look.backdrop) {
    case 'blackboard':
      return `<rect x="18" y="14" width="196" height="92" rx="3" fill="${look.accent}" stroke="#7d5a3a" stroke-width="5"/>
<g fill="none" stroke="#eef5ef" stroke-width="2" stroke-linecap="round" opacity=".85"><path d="M36 84 70 34 104 84z"/>
<path d="M38 40h18M38 48h12"/></g>`;
    case 'window':
      return `<rect x="26" y="14" width="96" height="82" fill="#dff1fb" stroke="${look.accent}" stroke-width="6"/>
<path d="M26 78q24-22 48-6t48-12v36H26z" fill="#8fbf7a"/><circle cx="100" cy="36" r="9" fill="#ffe08a"/>
<path d="M74 14v82M26 54h96" stroke="${look.accent}" stroke-width="4"/>`;
    case 'shelf':
      return `<g fill="${look.accent}"><rect x="22" y="52" width="92" height="5"/><rect x="22" y="100" width="92" height="5"/></g>
<g><rect x="28" y="22" width="10" height="30" fill="#b5453c"/><rect x="40" y="26" width="8" height="26" fill="#2d5fa8"/>
<rect x="50" y="18" width="12" height="34" fill="#3f7d4e"/><rect x="66" y="24" width="8" height="28" fill="#d9a441"/>
<circle cx="96" cy="42" r="10" fill="#6aa0c9"/><rect x="30" y="72" width="26" height="28" fill="#c98b5a"/>
<path d="M76 100V84m0 4q-12-4-10-16 10 2 10 14 2-14 12-14 0 12-12 18" fill="#5f9a50" stroke="#5f9a50" stroke-width="3"/></g>`;
    case 'lamp':
      return `<path d="M62 126V46" stroke="#7b6b83" stroke-width="4"/><path d="M40 48 50 20h24l10 28z" fill="${look.accent}"/>
<ellipse cx="62" cy="54" rx="44" ry="30" fill="#fff2c4" opacity=".45"/>
<rect x="246" y="20" width="52" height="64" fill="#fffdf6" stroke="#a58fb4" stroke-width="4"/>
<path d="m252 74 14-24 10 14 8-10 10 20z" fill="#9fc6a8"/>`;
  }
}

function body(look: Look): string {
  return `<path d="M104 180q0-52 40-58h32q40 6 40 58z" fill="${look.shirt}"/>
<path d="M146 122q14 18 28 0l-3 -6h-22z" fill="${look.skin}"/>
<path d="M146 122q14 20 28 0" fill="none" stroke="#fff" stroke-width="3" opacity=".7"/>`;
}

function head(look: Look, mouth: number, blinks: boolean): string {
  const eye = blinks ? 0.6 : 3.4;
  const glasses = look.glasses
    ? `<g fill="none" stroke="#39404a" stroke-width="2"><circle cx="148" cy="80" r="8.5"/><circle cx="172" cy="80" r="8.5"/><path d="M156.5 79h7"/></g>`
    : '';
  return `${hairBehind(look)}
<rect x="152" y="100" width="16" height="22" rx="7" fill="${look.skin}"/>
<ellipse cx="160" cy="80" rx="27" ry="32" fill="${look.skin}"/>
${hairInFront(look)}
<g fill="#2a2326"><ellipse cx="148" cy="80" rx="2.8" ry="${eye}"/><ellipse cx="172" cy="80" rx="2.8" ry="${eye}"/></g>
<g stroke="${look.hair}" stroke-width="2.2" stroke-linecap="round"><path d="M142 69q6-3 11 0M167 69q6-3 11 0" fill="none"/></g>
<path d="M160 82q-3 8 1 9" fill="none" stroke="#c98f6d" stroke-width="1.8" stroke-linecap="round"/>
<ellipse cx="160" cy="99" rx="7" ry="${mouth.toFixed(2)}" fill="#a8433f"/>
<g fill="#e98f7d" opacity=".35"><circle cx="141" cy="91" r="5"/><circle cx="179" cy="91" r="5"/></g>${glasses}`;
}

function hairBehind(look: Look): string {
  switch (look.hairStyle) {
    case 'bun':
      return `<circle cx="160" cy="41" r="13" fill="${look.hair}"/><ellipse cx="160" cy="76" rx="31" ry="34" fill="${look.hair}"/>`;
    case 'bob':
      return `<path d="M126 82q0-42 34-42t34 42v26q-10 8-16 2h-36q-6 6-16-2z" fill="${look.hair}"/>`;
    case 'tails':
      return `<ellipse cx="122" cy="92" rx="9" ry="24" fill="${look.hair}"/><ellipse cx="198" cy="92" rx="9" ry="24" fill="${look.hair}"/>
<circle cx="128" cy="72" r="4" fill="${look.accent}"/><circle cx="192" cy="72" r="4" fill="${look.accent}"/>`;
    case 'short':
      return `<ellipse cx="160" cy="70" rx="30" ry="28" fill="${look.hair}"/>`;
  }
}

function hairInFront(look: Look): string {
  const fringe =
    look.hairStyle === 'short'
      ? 'M132 72q0-28 28-28t28 28q-6-14-16-16-20 6-34 4-4 4-6 12z'
      : 'M132 76q-2-32 28-32t28 32q-4-14-14-20-12 12-36 10-4 4-6 10z';
  return `<path d="${fringe}" fill="${look.hair}"/>`;
}

function desk(look: Look): string {
  return `<path d="M0 150h320v30H0z" fill="#a97b50"/><path d="M0 150h320v4H0z" fill="#c49a6c"/>
<path d="M196 152l8-26h56l8 26z" fill="#5d6670"/><path d="M201 149l6-20h50l6 20z" fill="#7f8a95"/>
<rect x="62" y="134" width="16" height="19" rx="2" fill="${look.shirt}" opacity=".9"/>
<path d="M78 138q8 0 7 6t-8 5" fill="none" stroke="${look.shirt}" stroke-width="3"/>`;
}
