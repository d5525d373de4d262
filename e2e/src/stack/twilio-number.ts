/**
 * What a telephone number is told in Twilio's console, as docs/going-live.md says it (a test holds both together). Everything that
 * calls a gateway here does it by these URLs: a proof that needs a repeated callback rests on the fragment that an operator types.
 */
export function twilioNumber(publicBaseUrl: string): {
  readonly voiceUrl: string;
  readonly fallbackUrl: string;
  readonly statusCallbackUrl: string;
} {
  return {
    voiceUrl: `${publicBaseUrl}/twilio/voice#rc=2&rp=all`,
    fallbackUrl: `${publicBaseUrl}/twilio/fallback`,
    statusCallbackUrl: `${publicBaseUrl}/twilio/status#rc=5&rp=all&tt=15000`,
  };
}
