/** Program of the accident test: runs the demo classroom and prints the process ids of its cameras as JSON. */
import { startDemoClassroom } from '../../../src/demo/classroom.ts';
import { createLog } from '../../../src/log.ts';

const dataDir = process.argv[2] ?? '';
const classroom = await startDemoClassroom({ dataDir, log: createLog('demo', 'warn') });
process.stdout.write(`${JSON.stringify(classroom.cameraPids())}\n`);
