/** For tests only: which checks take from one second to half a minute. `npm run test:slow` asks them of the models. */

/** Whether a check takes long, even with a server that is right and quick. */
export const isSlow = (id: string) =>
  /^(leaks|bystanders|measures|streams)\//.test(id) ||
  /32-mib|hundred|thousand|1024|endless|server-stops|resumes|twenty/.test(id);

/** The part of the tests that runs: `quick` or `slow`. With anything else in the environment, all of them run. */
export const part = process.env.TESTS;

/** Whether the models meet this check in the part of the tests that runs. */
export const isInThisPart = (id: string) => (isSlow(id) ? part !== 'quick' : part !== 'slow');
