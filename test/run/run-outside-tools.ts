import path from 'node:path';
import { runOutsideTools } from '../support/outside-tools.ts';

// Shows a recording's playlist to every outside tool and prints what each says; exit code 1 for any complaint, 2 for no playlist.
const [playlist] = process.argv.slice(2);
if (playlist === undefined) {
  console.error('expected the path of a playlist');
  process.exitCode = 2;
} else {
  const reports = await runOutsideTools(path.resolve(playlist));
  for (const { tool, version, errors } of reports) {
    console.log(`${tool} ${version}: ${errors.length === 0 ? 'nothing' : ''}`);
    for (const error of errors) console.log(`  ${error}`);
  }
  if (reports.some(({ errors }) => errors.length > 0)) process.exitCode = 1;
}
