#!/usr/bin/env node
// Plain JavaScript without newer syntax. An older Node reads this far and no further: the rest is
// TypeScript, which it would refuse with an error that tells nobody what to do.
import './require-node.js'
import './thread-pool.js'
import module from 'module'
import { fileURLToPath } from 'url'

// Compiled code is kept where the code itself is, and found there by the processes that we start.
// Where that cannot be written, a start takes half a second longer.
const cache = fileURLToPath(new URL('../node_modules/.cache/compiled', import.meta.url))
process.env.NODE_COMPILE_CACHE = process.env.NODE_COMPILE_CACHE || cache
if (module.enableCompileCache) module.enableCompileCache(process.env.NODE_COMPILE_CACHE)

import('../src/main.ts').catch(function (error) {
  process.stderr.write((error && error.stack ? error.stack : String(error)) + '\n')
  process.exit(1)
})
