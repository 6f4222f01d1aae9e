/** For tests only: which checks take a second or more, or half a minute. `npm run test:slow` asks them of the models. */

/** Whether a check takes long, even with a server that is right and quick. */
export const isSlow = (id: string) =>
  /^(leaks|bystanders|measures|streams)\//.test(id) ||
  /32-mib|hundred|thousand|1024|endless|server-stops|resumes|twenty/.test(id);

/** `TESTS` in the environment: `quick`, `slow` or, when it is not set, both. */
const part = process.env.TESTS;

/** Whether the models meet this check in the part of the tests that runs. */
export const isInThisPart = (id: string) => part === undefined || isSlow(id) === (part === 'slow');
