export * from './broker.ts';
export * from './store.ts';
