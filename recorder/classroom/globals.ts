import type { ClassroomSource } from '../../src/model/recording.ts';
import type { ChalkreelPageApi } from '../../src/protocol/page.ts';
import type { ClassroomState } from './state.ts';

declare global {
  interface Window {
    /** Put there by the recorder before our scripts run. */
    chalkreel?: ChalkreelPageApi;
    chalkreelClassroom?: ClassroomSource;
    /** What is shown now, as JSON: for tests. */
    classroomState?: () => ClassroomState;
    /** Called by the recorder when the class's streams have changed: all of them, as they are now. */
    chalkreelSources?: (sources: unknown) => void;
    /** Called by the recorder when it records, `started`, and when it does no longer, `stopped`. */
    chalkreelRecording?: (state: unknown) => void;
    /** Called by the recorder when the platform wants the class arranged otherwise: all of its choice, as it is now. */
    chalkreelLayout?: (choice: unknown) => void;
  }
}
