export { cacheFolder, SERVER_VARIABLES, serverEnvironment, type ServerEnvironment } from './find/environment.ts';
export type { GivenServer, Preference, ServerProgram } from './find/program.ts';
export { getServers, type Servers } from './get-servers.ts';
export { type MongoOptions, type RunningMongo, startMongo } from './run/mongo.ts';
export type { MongoUser } from './run/mongo-users.ts';
export { type NatsOptions, type RunningNats, startNats } from './run/nats.ts';
export type { NatsUser } from './run/nats-config.ts';
export type { RunningServer, ServerUser } from './run/running-server.ts';
export { type ServerProcess, startProcess } from './run/server-process.ts';
