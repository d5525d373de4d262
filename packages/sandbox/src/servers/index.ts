export { serverEnvironment, type ServerEnvironment } from './environment.ts';
export type { Preference } from './find-mongo.ts';
export { type MongoOptions, type RunningMongo, startMongo } from './mongo.ts';
export type { MongoUser } from './mongo-users.ts';
export { type NatsOptions, type RunningNats, startNats } from './nats.ts';
export type { NatsUser } from './nats-config.ts';
export type { RunningServer, ServerUser } from './running-server.ts';
export { type ServerProcess, startProcess } from './server-process.ts';
