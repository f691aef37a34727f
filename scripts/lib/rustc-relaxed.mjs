#!/usr/bin/env node
// Rustc with relaxed SIMD: what cargo runs for our own crate alone (`RUSTC_WORKSPACE_WRAPPER`) where it builds tests, for
// `cargo test` takes no arguments for one crate, as `cargo rustc` does. The other crates are then compiled once for both.

import { spawnSync } from 'node:child_process';
import { crateArgs, VARIANTS } from './variants.mjs';

const relaxed = VARIANTS.find((variant) => variant.relaxed);
const [rustc = 'rustc', ...args] = process.argv.slice(2);
const { status } = spawnSync(rustc, [...args, ...(relaxed ? crateArgs(relaxed) : [])], { stdio: 'inherit' });
process.exitCode = status ?? 1;
