// What the scripts for Node share: the address, packages from where test.sh put them, and one line of JSON for everything heard.
//
//   node ws.mjs http://127.0.0.1:41234      stdout: {"kind":"update","text":"{…}"} …      ends with stdin

import { createRequire } from 'node:module';

// Modules are looked up beside the script that imports them; these stand elsewhere.
export const need = createRequire(`${process.env.LAB_NPM}/`);
export const base = process.argv[2];

export function say(heard) {
  process.stdout.write(`${JSON.stringify(heard)}\n`);
}

// The test is over, or gone.
process.stdin.on('end', () => process.exit(0)).resume();
