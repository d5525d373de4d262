export { createAddressPolicy, type AddressClass, type AddressPolicy } from './address-policy.ts';
export {
  createEndpoint,
  type Endpoint,
  type EndpointOptions,
  type EndpointRequest,
  type Phases,
  type SendFailure,
  type SendResult,
} from './endpoint.ts';
export { createResolver, type Resolution, type Resolve } from './resolver.ts';
export { visibleText } from './response-body.ts';
export { SIGNATURE_HEADERS, signAttempt, type SignatureHeaders } from './signing.ts';
export {
  createUrlPolicy,
  isAllowedHeader,
  literalOf,
  type RefusalCode,
  type UrlPolicy,
  type Verdict,
} from './url-policy.ts';
export { DEV_ORIGINS_RULE, egressVariables, urlPolicyOf, type EgressConfig } from './variables.ts';
export {
  explainMismatch,
  TOLERANCE_SECONDS,
  verifyWebhook,
  type ArrivedWebhook,
  type VerifyProblem,
  type VerifyVerdict,
} from './verifying.ts';
