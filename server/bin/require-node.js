// Plain JavaScript without newer syntax: an older Node must get far enough to read the advice below.
const NEEDED = [24, 12]

const [major, minor] = process.versions.node.split('.').map(Number)
if (major < NEEDED[0] || (major === NEEDED[0] && minor < NEEDED[1])) {
  process.stderr.write(
    `Countinghouse needs Node ${NEEDED.join('.')} or newer; this is ${process.versions.node} at ${process.execPath}.\n` +
      'On Linux `npm ci` installs a fitting Node into node_modules and `npm start`, `npm test` and\n' +
      '`npm run …` use it: run `npm ci` without `--omit=optional`, then use those commands.\n' +
      'Elsewhere install Node 24 from https://nodejs.org.\n',
  )
  process.exit(2)
}
