// Runs verify.mjs over the signature vectors: one line each, what it says and the name.
import { readFileSync } from 'node:fs';
import { verifyWebhook } from './snippet/verify.mjs';

for (const { name, headers, body_base64, secrets, now } of JSON.parse(readFileSync(process.argv[2], 'utf8')).vectors) {
  let verdict = 'valid';
  try {
    verifyWebhook(headers, Buffer.from(body_base64, 'base64'), secrets, now);
  } catch {
    verdict = 'invalid';
  }
  process.stdout.write(`${verdict}\t${name}\n`);
}
