#!/usr/bin/env node
// Rustc with relaxed SIMD: what cargo runs for our own crates alone (`RUSTC_WORKSPACE_WRAPPER`). The others are then compiled
// once for both.

import { spawnSync } from 'node:child_process';
import { crateArgs, VARIANTS } from './variants.mjs';

const relaxed = VARIANTS.find((variant) => variant.relaxed);
const [rustc = 'rustc', ...args] = process.argv.slice(2);
const { status } = spawnSync(rustc, [...args, ...(relaxed ? crateArgs(relaxed) : [])], { stdio: 'inherit' });
process.exitCode = status ?? 1;
