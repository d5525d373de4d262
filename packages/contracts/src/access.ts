/** Who may do what, as data: servers on one machine are started with it, production's users are made from it, tests hold it. */

/** The three databases; their real names take a prefix from configuration. */
export const DATABASES = ['calls', 'settings', 'delivery'] as const;
export type Database = (typeof DATABASES)[number];

/** Every identity that connects to the broker or the database. */
export const IDENTITIES = [
  'media-gateway',
  'transcriber',
  'summarizer',
  'extractor',
  'webhook-dispatcher',
  'reconciler',
  'eraser',
  'callctl',
  'provision',
] as const;
export type Identity = (typeof IDENTITIES)[number];

/** Built-in MongoDB roles per identity and database. Only extractor may write `calls` (L3). */
export const DATABASE_ROLES = {
  'media-gateway': { settings: 'read' },
  transcriber: {},
  summarizer: {},
  extractor: { calls: 'readWrite', settings: 'read' },
  'webhook-dispatcher': { calls: 'read', settings: 'read', delivery: 'readWrite' },
  reconciler: { calls: 'read', settings: 'read', delivery: 'read' },
  eraser: { calls: 'read', settings: 'read', delivery: 'readWrite' },
  callctl: { calls: 'read', settings: 'readWrite', delivery: 'readWrite' },
  provision: { calls: 'dbAdmin', settings: 'dbAdmin', delivery: 'dbAdmin' },
} as const satisfies Record<Identity, Partial<Record<Database, 'read' | 'readWrite' | 'dbAdmin'>>>;
