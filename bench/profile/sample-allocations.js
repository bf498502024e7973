// Loaded into the proxy before it starts (node --import): samples all that is allocated, short-lived or not, and writes
// the profile into the working directory when the process ends. Plain JavaScript, so that nothing else is loaded for it.
import { writeFileSync } from 'node:fs';
import { Session } from 'node:inspector';

/** Bytes between two samples, on average. */
const INTERVAL = 65_536;

const session = new Session();
session.connect();
session.post('HeapProfiler.startSampling', {
  samplingInterval: INTERVAL,
  includeObjectsCollectedByMajorGC: true,
  includeObjectsCollectedByMinorGC: true,
});
process.on('exit', () => {
  session.post('HeapProfiler.stopSampling', (error, result) => {
    if (error === null) writeFileSync('allocations.heapprofile', JSON.stringify(result.profile));
  });
});
