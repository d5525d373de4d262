/** Which message: what is remembered of one is kept per stage, call and revision. */
export type MessageKey = { readonly stage: string; readonly callSid: string; readonly revision: number };
