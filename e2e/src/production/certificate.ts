import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';

/** Certificates of tests, for `localhost`. */
const FOLDER = new URL('../../../packages/egress/src/fixtures/tls/', import.meta.url);

/** The file of the authority that signed them. */
export const AUTHORITY_FILE = fileURLToPath(new URL('ca.pem', FOLDER));

/** What a server of `localhost` shows. */
export const SERVER = {
  cert: readFileSync(new URL('valid.pem', FOLDER)),
  key: readFileSync(new URL('server.key', FOLDER)),
};
