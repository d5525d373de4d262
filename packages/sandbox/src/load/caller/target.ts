/** Where the calls of a load go. */
export type LoadTarget =
  /** A media-gateway: signed webhook, signed upgrade, status callback. */
  | {
      readonly kind: 'gateway';
      /** What is signed over. */
      readonly publicBaseUrl: string;
      /** Where it is told the end of a call, with connection overrides as for Twilio. */
      readonly statusCallbackUrl: string;
      /** Where it answers in truth, `http://host:port`. */
      readonly gatewayUrl: string;
      readonly accountSid: string;
      readonly authToken: string;
      /** The business's number. */
      readonly to: string;
    }
  /** A WebSocket that takes the same media stream without being called before: what a gateway is compared with. */
  | { readonly kind: 'relay'; readonly url: string };
