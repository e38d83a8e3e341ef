import { batchBench } from './batch.ts';
import { boardBench } from './board.ts';
import { classBench } from './class.ts';
import { clipBench } from './clip.ts';
import { conformanceBench } from './conformance.ts';
import { dayBench } from './day.ts';
import { driftBench } from './drift.ts';
import { exactBench } from './exact.ts';
import { glassBench } from './glass.ts';
import { layoutBench } from './layout.ts';
import { lossBench } from './loss.ts';
import { playlistBench } from './playlist.ts';
import { rebuildBench } from './rebuild.ts';
import { runScenario } from './runner.ts';
import { setupBench } from './setup.ts';
import { startBench } from './start.ts';
import { stillBench } from './still.ts';

process.exitCode = await runScenario(process.argv.slice(2), {
  scenarios: {
    batch: batchBench,
    board: boardBench,
    class: classBench,
    clip: clipBench,
    conformance: conformanceBench,
    day: dayBench,
    drift: driftBench,
    exact: exactBench,
    glass: glassBench,
    layout: layoutBench,
    loss: lossBench,
    playlist: playlistBench,
    rebuild: rebuildBench,
    setup: setupBench,
    start: startBench,
    still: stillBench,
  },
});
