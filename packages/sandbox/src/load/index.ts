export type { LoadTarget } from './caller/target.ts';
export { type FaultShares, NO_FAULTS } from './faults.ts';
export type { LatencySummary } from './latencies.ts';
export { type Load, type LoadOptions, type LoadRound, startLoad } from './load.ts';
export type { LoadReport } from './report.ts';
