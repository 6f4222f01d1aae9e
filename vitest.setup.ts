/** In each process that runs tests: it ends with the one that started it, and its servers with it. */
process.once('disconnect', () => process.kill(process.pid, 'SIGTERM'));
