#!/usr/bin/env node
// Plain JavaScript without newer syntax. An older Node reads this far and no further: the rest is
// TypeScript, which it would refuse with an error that tells nobody what to do.
import './require-node.js'

import('../src/main.ts').catch(function (error) {
  process.stderr.write((error && error.stack ? error.stack : String(error)) + '\n')
  process.exit(1)
})
