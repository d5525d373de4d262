export * from './broker.ts';
export * from './models.ts';
export * from './store.ts';
