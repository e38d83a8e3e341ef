import type { LayoutInput } from '../../../recorder/classroom/layout/geometry.ts';
import type { LayoutTile } from '../../../recorder/classroom/layout/who.ts';

const ROLES = ['teacher', 'student', 'student', 'student', 'tutor', 'student'] as const;

/** Teacher, then three students, a tutor, and students. */
export const classOf = (count: number): LayoutTile[] =>
  Array.from({ length: count }, (_, i) => ({
    name: `n${i}`,
    participantId: `p${i}`,
    role: ROLES[i] ?? 'student',
    isShown: false,
    spokeMs: Number.NEGATIVE_INFINITY,
  }));

const UPRIGHT = { width: 720, height: 1280 };

/** Every pixel of each layout at the sizes people record; a change of look changes this table, on purpose. */
export const GEOMETRY_TABLE: readonly (readonly [
  string,
  Partial<LayoutInput>,
  readonly string[],
])[] = [
  [
    'one-to-one',
    { layout: 'one-to-one' },
    [
      'board 14,64 880x642',
      'chat 906,451 360x255',
      'n0 906,64 360x203',
      'n1 906,310 174x98',
      'n2 1092,310 174x98',
    ],
  ],
  [
    'one-to-one, upright',
    { layout: 'one-to-one', ...UPRIGHT },
    [
      'board 14,484 692x469',
      'chat 14,965 692x301',
      'n0 58,64 296x167',
      'n1 366,64 296x167',
      'n2 212,274 296x167',
    ],
  ],
  [
    'small-class',
    { layout: 'small-class' },
    [
      'board 14,278 859x428',
      'chat 885,278 381x428',
      'n0 14,64 304x171',
      'n1 330,64 304x171',
      'n2 646,64 304x171',
      'n3 962,64 304x171',
    ],
  ],
  [
    'small-class, upright',
    { layout: 'small-class', ...UPRIGHT },
    [
      'board 14,484 692x469',
      'chat 14,965 692x301',
      'n0 58,64 296x167',
      'n1 366,64 296x167',
      'n2 58,274 296x167',
      'n3 366,274 296x167',
    ],
  ],
  [
    'large-class',
    { layout: 'large-class' },
    [
      'board 14,64 859x642',
      'chat 885,468 381x238',
      'n0 885,64 381x214',
      'n1 885,321 184x104',
      'n2 1081,321 184x104',
    ],
  ],
  [
    'large-class, upright',
    { layout: 'large-class', ...UPRIGHT },
    [
      'board 14,374 692x535',
      'chat 14,921 692x345',
      'n0 14,64 474x267',
      'n1 504,64 199x112',
      'n2 504,219 199x112',
    ],
  ],
  [
    'dual-teacher',
    { layout: 'dual-teacher' },
    [
      'board 791,374 475x332',
      'chat 528,537 251x169',
      'n0 14,64 765x430',
      'n1 791,64 475x267',
      'n2 14,537 245x138',
      'n3 271,537 245x138',
    ],
  ],
  [
    'dual-teacher, upright',
    { layout: 'dual-teacher', ...UPRIGHT },
    [
      'board 14,715 692x330',
      'chat 14,1057 692x209',
      'n0 14,64 691x389',
      'n1 14,496 312x176',
      'n2 338,534 178x100',
      'n3 528,534 178x100',
    ],
  ],
  [
    'whiteboard',
    { layout: 'whiteboard' },
    [
      'board 14,64 1020x642',
      'chat -',
      'n0 1049,64 213x120',
      'n1 1049,227 213x120',
      'n2 1049,390 213x120',
      'n3 1049,553 213x120',
    ],
  ],
  [
    'whiteboard, upright',
    { layout: 'whiteboard', ...UPRIGHT },
    [
      'board 14,64 692x780',
      'chat 14,856 692x248',
      'n0 14,1116 164x92',
      'n1 190,1116 164x92',
      'n2 366,1116 164x92',
      'n3 542,1116 164x92',
    ],
  ],
  [
    'spotlight',
    { layout: 'spotlight' },
    [
      'board 791,64 475x321',
      'chat 791,397 475x309',
      'n0 14,64 764x430',
      'n1 17,537 245x138',
      'n2 274,537 245x138',
      'n3 531,537 245x138',
    ],
  ],
  [
    'spotlight, upright',
    { layout: 'spotlight', ...UPRIGHT },
    [
      'board 14,664 692x361',
      'chat 14,1037 692x229',
      'n0 14,64 691x389',
      'n1 15,496 222x125',
      'n2 249,496 222x125',
      'n3 483,496 222x125',
    ],
  ],
  [
    'gallery',
    { layout: 'gallery' },
    [
      'board -',
      'chat 966,64 300x642',
      'n0 14,87 464x261',
      'n1 490,87 464x261',
      'n2 14,391 464x261',
      'n3 490,391 464x261',
    ],
  ],
  [
    'gallery, upright',
    { layout: 'gallery', ...UPRIGHT },
    [
      'board -',
      'chat 14,978 692x288',
      'n0 14,287 340x191',
      'n1 366,287 340x191',
      'n2 14,521 340x191',
      'n3 366,521 340x191',
    ],
  ],
  [
    'one-to-one without a board',
    { layout: 'one-to-one', hasBoard: false },
    [
      'board -',
      'chat 906,460 360x246',
      'n0 14,122 880x495',
      'n1 948,64 275x155',
      'n2 948,262 275x155',
    ],
  ],
  [
    'small-class without a board',
    { layout: 'small-class', hasBoard: false },
    [
      'board -',
      'chat 966,64 300x642',
      'n0 14,87 464x261',
      'n1 490,87 464x261',
      'n2 14,391 464x261',
      'n3 490,391 464x261',
    ],
  ],
  [
    'dual-teacher without a board',
    { layout: 'dual-teacher', hasBoard: false },
    [
      'board -',
      'chat 791,374 475x332',
      'n0 14,64 765x430',
      'n1 791,64 475x267',
      'n2 145,537 245x138',
      'n3 402,537 245x138',
    ],
  ],
  [
    'spotlight without a board',
    { layout: 'spotlight', hasBoard: false },
    [
      'board -',
      'chat 791,64 475x642',
      'n0 14,64 764x430',
      'n1 17,537 245x138',
      'n2 274,537 245x138',
      'n3 531,537 245x138',
    ],
  ],
  [
    'two of a one-to-one class',
    { layout: 'one-to-one', tiles: classOf(2) },
    ['board 14,64 880x642', 'chat 906,556 360x150', 'n0 906,64 360x203', 'n1 906,310 360x203'],
  ],
  [
    'a lecturer with a tutor',
    { layout: 'dual-teacher', tiles: classOf(6) },
    [
      'board 827,354 439x352',
      'chat -',
      'n0 14,64 801x451',
      'n4 827,64 439x247',
      'n1 14,558 191x107',
      'n2 217,558 191x107',
      'n3 420,558 191x107',
      'n5 623,558 191x107',
    ],
  ],
  ['a class of nobody', { tiles: [] }, ['board 14,64 859x642', 'chat 885,64 381x642']],
  [
    'a small picture',
    { width: 640, height: 360 },
    [
      'board 7,144 429x209',
      'chat 442,144 191x209',
      'n0 35,38 138x78',
      'n1 179,38 138x78',
      'n2 323,38 138x78',
      'n3 467,38 138x78',
    ],
  ],
  [
    'a large picture',
    { width: 1920, height: 1080 },
    [
      'board 21,418 1288x641',
      'chat 1327,418 572x641',
      'n0 21,96 456x257',
      'n1 495,96 456x257',
      'n2 969,96 456x257',
      'n3 1443,96 456x257',
    ],
  ],
  ['a picture too small for anybody', { width: 96, height: 64 }, ['board -', 'chat -']],
];
