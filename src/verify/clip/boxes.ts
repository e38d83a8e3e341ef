/** One box (ISO/IEC 14496-12 §4.2); `start`, `bodyStart` and `end` are bytes into the file. */
export type Box = {
  readonly type: string;
  readonly start: number;
  readonly bodyStart: number;
  readonly end: number;
  readonly body: Buffer;
  readonly children: readonly Box[];
};

const CONTAINERS = ['moov', 'trak', 'edts', 'mdia', 'minf', 'dinf', 'stbl'];

/** Parses boxes that fill `file` from `start` to `end` exactly; throws RangeError where they do not. */
export function parseBoxes(file: Buffer, start = 0, end = file.length): Box[] {
  const boxes: Box[] = [];
  for (let at = start; at < end;) {
    if (at + 8 > end) throw new RangeError(`${end - at} bytes at ${at} are no box`);
    const type = file.toString('latin1', at + 4, at + 8);
    const short = file.readUInt32BE(at);
    if (short === 1 && at + 16 > end) throw new RangeError(`box ${type} at ${at} has no size`);
    const size =
      short === 1 ? Number(file.readBigUInt64BE(at + 8)) : short === 0 ? end - at : short;
    const bodyStart = at + (short === 1 ? 16 : 8);
    if (at + size > end || bodyStart > at + size) {
      throw new RangeError(`box ${type} at ${at} has ${size} bytes, ${end - at} are left`);
    }
    const children = CONTAINERS.includes(type) ? parseBoxes(file, bodyStart, at + size) : [];
    const body = file.subarray(bodyStart, at + size);
    boxes.push({ type, start: at, bodyStart, end: at + size, body, children });
    at += size;
  }
  return boxes;
}

/** The first box on a path of types, or undefined. */
export function findBox(boxes: readonly Box[], ...types: readonly string[]): Box | undefined {
  const [type, ...rest] = types;
  const box = boxes.find((candidate) => candidate.type === type);
  return box === undefined || rest.length === 0 ? box : findBox(box.children, ...rest);
}

/** The box on a path of types; throws RangeError where it is absent. */
export function getBox(boxes: readonly Box[], ...types: readonly string[]): Box {
  const box = findBox(boxes, ...types);
  if (!box) throw new RangeError(`there is no ${types.join('/')}`);
  return box;
}
