#!/usr/bin/env node
/** `line-echo-model NAME [option...]`: starts a model from the installed package. */
import { existsSync, readdirSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

const models = new URL('../models/', import.meta.url);
const names = readdirSync(models).filter((name) => existsSync(new URL(`${name}/index.js`, models)));
const [name = '', ...options] = process.argv.slice(2);

if (names.includes(name)) {
  const program = new URL(`${name}/index.js`, models);
  // A model that starts processes of its own looks here for what to run.
  process.argv = [process.execPath, fileURLToPath(program), ...options];
  await import(program.href);
} else {
  const isHelp = name === '--help' || name === '-h';
  const usage = `Usage: line-echo-model NAME [option...]; models: ${names.join(', ')}. NAME --help shows the options.\n`;
  (isHelp ? process.stdout : process.stderr).write(usage);
  process.exitCode = isHelp ? 0 : 2;
}
