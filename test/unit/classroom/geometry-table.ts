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
      'chat 906,449 360x257',
      'n0 906,64 360x202',
      'n1 906,309 174x97',
      'n2 1092,309 174x97',
    ],
  ],
  [
    'one-to-one, upright',
    { layout: 'one-to-one', ...UPRIGHT },
    [
      'board 14,482 692x470',
      'chat 14,964 692x302',
      'n0 58,64 296x166',
      'n1 366,64 296x166',
      'n2 212,273 296x166',
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
      'board 14,482 692x470',
      'chat 14,964 692x302',
      'n0 58,64 296x166',
      'n1 366,64 296x166',
      'n2 58,273 296x166',
      'n3 366,273 296x166',
    ],
  ],
  [
    'large-class',
    { layout: 'large-class' },
    [
      'board 14,64 859x642',
      'chat 885,467 381x239',
      'n0 885,64 381x214',
      'n1 885,321 184x103',
      'n2 1081,321 184x103',
    ],
  ],
  [
    'large-class, upright',
    { layout: 'large-class', ...UPRIGHT },
    [
      'board 14,373 692x535',
      'chat 14,920 692x346',
      'n0 14,64 474x266',
      'n1 504,64 199x111',
      'n2 504,218 199x111',
    ],
  ],
  [
    'dual-teacher',
    { layout: 'dual-teacher' },
    [
      'board 792,373 474x333',
      'chat 528,537 252x169',
      'n0 14,64 766x430',
      'n1 792,64 474x266',
      'n2 14,537 245x137',
      'n3 271,537 245x137',
    ],
  ],
  [
    'dual-teacher, upright',
    { layout: 'dual-teacher', ...UPRIGHT },
    [
      'board 14,713 692x331',
      'chat 14,1056 692x210',
      'n0 14,64 691x388',
      'n1 14,496 311x174',
      'n2 338,533 178x100',
      'n3 528,533 178x100',
    ],
  ],
  [
    'whiteboard',
    { layout: 'whiteboard' },
    [
      'board 14,64 1020x642',
      'chat -',
      'n0 1049,64 213x119',
      'n1 1049,226 213x119',
      'n2 1049,388 213x119',
      'n3 1049,550 213x119',
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
      'board 792,64 474x321',
      'chat 792,397 474x309',
      'n0 15,64 764x429',
      'n1 14,536 247x138',
      'n2 273,536 247x138',
      'n3 532,536 247x138',
    ],
  ],
  [
    'spotlight, upright',
    { layout: 'spotlight', ...UPRIGHT },
    [
      'board 14,663 692x361',
      'chat 14,1036 692x230',
      'n0 14,64 691x388',
      'n1 15,496 222x124',
      'n2 249,496 222x124',
      'n3 483,496 222x124',
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
      'chat 906,458 360x248',
      'n0 14,122 880x495',
      'n1 948,64 275x154',
      'n2 948,261 275x154',
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
      'chat 792,373 474x333',
      'n0 14,64 766x430',
      'n1 792,64 474x266',
      'n2 146,537 245x137',
      'n3 403,537 245x137',
    ],
  ],
  [
    'spotlight without a board',
    { layout: 'spotlight', hasBoard: false },
    [
      'board -',
      'chat 792,64 474x642',
      'n0 15,64 764x429',
      'n1 14,536 247x138',
      'n2 273,536 247x138',
      'n3 532,536 247x138',
    ],
  ],
  [
    'two of a one-to-one class',
    { layout: 'one-to-one', tiles: classOf(2) },
    ['board 14,64 880x642', 'chat 906,554 360x152', 'n0 906,64 360x202', 'n1 906,309 360x202'],
  ],
  [
    'a lecturer with a tutor',
    { layout: 'dual-teacher', tiles: classOf(6) },
    [
      'board 827,353 439x353',
      'chat -',
      'n0 14,64 801x450',
      'n4 827,64 439x246',
      'n1 14,557 191x107',
      'n2 217,557 191x107',
      'n3 420,557 191x107',
      'n5 623,557 191x107',
    ],
  ],
  ['a class of nobody', { tiles: [] }, ['board 14,64 859x642', 'chat 885,64 381x642']],
  [
    'a small picture',
    { width: 640, height: 360 },
    [
      'board 7,143 429x210',
      'chat 442,143 191x210',
      'n0 35,38 138x77',
      'n1 179,38 138x77',
      'n2 323,38 138x77',
      'n3 467,38 138x77',
    ],
  ],
  [
    'a large picture',
    { width: 1920, height: 1080 },
    [
      'board 21,417 1288x642',
      'chat 1327,417 572x642',
      'n0 21,96 456x256',
      'n1 495,96 456x256',
      'n2 969,96 456x256',
      'n3 1443,96 456x256',
    ],
  ],
  ['a picture too small for anybody', { width: 96, height: 64 }, ['board -', 'chat -']],
];
