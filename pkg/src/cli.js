#!/usr/bin/env node
/** The command line: `npx ocelli`. */

import { run } from './cli/main.js';

process.exitCode = await run(process.argv.slice(2));
