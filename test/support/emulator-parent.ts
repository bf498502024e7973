/** A program that starts the user-pool emulator, says where it is, and then does nothing: for tests to kill. */
import { startUserPoolEmulator } from '../../src/dev/user-pool-emulator.ts';

const emulator = await startUserPoolEmulator();
process.stdout.write(`${emulator.origin}\n`);
