// Loaded into a process whose memory is looked at: what is not in use is let go before a look, not some time after it.
// SIGCONT means nothing to a process that runs.
process.on('SIGCONT', () => globalThis.gc());
