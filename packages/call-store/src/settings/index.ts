export { connectStore, type Store, type StoreLog, type StoreReadiness } from '../connection/store.ts';
export { StoreError } from '../connection/errors.ts';
export type { StoreConfig } from '../connection/options.ts';
export { createSettingsReader, type FormerNumber, type Retention, type SettingsReader } from './reader.ts';
export { provisionSettings } from './provision.ts';
