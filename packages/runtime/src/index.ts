export * from './config.ts';
export * from './crash-points.ts';
export * from './health.ts';
export * from './logger.ts';
export * from './metrics.ts';
export * from './service.ts';
export * from './stage-metrics.ts';
export * from './variables/index.ts';
