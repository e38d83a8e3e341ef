/** Who is in the demo classroom. Colours are CSS, tones soft sines that stay apart in a spectrum. */
export type CastMember = {
  readonly participantId: string;
  readonly name: string;
  readonly role: 'teacher' | 'student';
  readonly toneHz: number;
  readonly look: Look;
};

export type Look = {
  readonly wall: string;
  readonly wallShade: string;
  readonly accent: string;
  readonly skin: string;
  readonly hair: string;
  readonly hairStyle: 'bun' | 'short' | 'bob' | 'tails';
  readonly shirt: string;
  readonly glasses: boolean;
  /** What stands in the room behind them. */
  readonly backdrop: 'blackboard' | 'window' | 'shelf' | 'lamp';
};

/** Four tones of one A major chord: E4, A4, C#5, E5. */
export const CAST = [
  {
    participantId: 'teacher-li',
    name: '李老师 Ms Li',
    role: 'teacher',
    toneHz: 330,
    look: {
      wall: '#e9dcc5',
      wallShade: '#d8c7a8',
      accent: '#2f6f5b',
      skin: '#f3c9a5',
      hair: '#2b2226',
      hairStyle: 'bun',
      shirt: '#b5453c',
      glasses: true,
      backdrop: 'blackboard',
    },
  },
  {
    participantId: 'student-wang',
    name: '王小明 Ming',
    role: 'student',
    toneHz: 440,
    look: {
      wall: '#bcd6e6',
      wallShade: '#9fc0d4',
      accent: '#f4f7f9',
      skin: '#eebd94',
      hair: '#1d1a1c',
      hairStyle: 'short',
      shirt: '#2d5fa8',
      glasses: false,
      backdrop: 'window',
    },
  },
  {
    participantId: 'student-chen',
    name: '陈雨桐 Yutong',
    role: 'student',
    toneHz: 550,
    look: {
      wall: '#d9e3c8',
      wallShade: '#c2d0a9',
      accent: '#8a6242',
      skin: '#f6d2b3',
      hair: '#3a2a22',
      hairStyle: 'bob',
      shirt: '#e0a030',
      glasses: false,
      backdrop: 'shelf',
    },
  },
  {
    participantId: 'student-zhao',
    name: '赵安琪 Angel',
    role: 'student',
    toneHz: 660,
    look: {
      wall: '#e2d3ea',
      wallShade: '#cbb6d8',
      accent: '#f2c14e',
      skin: '#f1c6a0',
      hair: '#231c22',
      hairStyle: 'tails',
      shirt: '#5b8f5a',
      glasses: true,
      backdrop: 'lamp',
    },
  },
] as const satisfies readonly CastMember[];
