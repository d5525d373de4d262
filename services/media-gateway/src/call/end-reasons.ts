/** Why a call ended, as `endedReason` of `call.ended` says it: whichever came first. */
export const END_REASONS = {
  stream_stopped: 'Twilio stopped the media stream: the caller hung up',
  stream_closed: 'the media stream broke off without a stop',
  completed: 'the status callback said so before the media stream did',
  busy: 'the called side was busy',
  no_answer: 'nobody answered',
  failed: 'Twilio could not connect the call',
  canceled: 'the call was given up before it was answered',
  refused: 'an outbound call was answered, and there was no room for it',
  agent_hung_up: 'the agent ended the call with its tool',
  agent_lost: 'the agent was gone or mute and did not come back',
  media_idle: 'no audio for MEDIA_IDLE_MS',
  media_invalid: 'the media stream broke its protocol',
  congested: 'a side of the bridge took its audio too slowly',
  max_duration: 'MAX_CALL_MS was reached',
  drain: 'this process had to stop',
} as const;
export type EndReason = keyof typeof END_REASONS;
