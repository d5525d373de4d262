import type { Preference, ServerEnvironment } from '@pipeline/sandbox/servers';
import type { ServiceName, Surroundings } from './environment.ts';
import type { ServiceLine } from './service-process.ts';

type Variables = Readonly<Record<string, string>>;

export type StackOptions = {
  /** Where servers are looked for; default what the process has. */
  readonly environment?: ServerEnvironment;
  readonly prefer?: Preference;
  /** A folder that outlives the stack; default a fresh temporary one. */
  readonly dataDir?: string;
  /** The services to start, each with this many processes. Default all five, one each. */
  readonly services?: readonly ServiceName[];
  readonly replicas?: number;
  /** Variables that differ from the local defaults, per service. */
  readonly overrides?: Partial<Record<ServiceName, Variables | ((surroundings: Surroundings) => Variables)>>;
  /** Modules loaded before a service, to sabotage it. */
  readonly preload?: Partial<Record<ServiceName, readonly string[]>>;
  /** Variables for every service and for provisioning alike, such as `ACK_WAIT_MS`. */
  readonly shared?: Readonly<Record<string, string>>;
  /** Origins on this machine that webhooks may go to beside the sandbox's receiver. Default where `callctl webhooks listen` listens. */
  readonly webhookOrigins?: readonly string[];
  /** Users that differ from the product's roles, to show that a check notices. */
  readonly extraRoles?: Partial<Record<string, Readonly<Record<string, 'read' | 'readWrite'>>>>;
  /** Gives up starting; what was started is stopped. */
  readonly signal?: AbortSignal;
  /** What is being started, for people. */
  readonly report?: (line: string) => void;
  /** Every line that a service writes. */
  readonly onLine?: (line: ServiceLine) => void;
};
