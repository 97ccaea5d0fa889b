// Loaded into the server that the demo starts. Its stdin ends when the demo wants it to stop, and
// also when the demo was killed: either way it stops in good order, once.
process.stdin.resume().once('close', () => process.kill(process.pid, 'SIGTERM'))
