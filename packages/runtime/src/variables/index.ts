export * from './broker.ts';
export * from './models.ts';
export * from './settings-keys.ts';
export * from './store.ts';
