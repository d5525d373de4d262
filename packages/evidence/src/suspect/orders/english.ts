import type { SpokenOrders } from './spoken-orders.ts';

/** In the notation of `notation.ts`. */
export const ENGLISH_ORDERS: SpokenOrders = {
  fields: 'city|town|location|service|category|urgency|priority|budget|refund|price|status|name',
  machines:
    'computer|computer program|computer system|machine|robot|bot|software|program|system|algorithm|ai|ai system|artificial intelligence|recorder|recording|database|transcriber|transcriptionist|typist|stenographer|automatic system|recording software',
  verbs: 'put|set|enter|log|write|type|save|store|record|register|list|use|note|insert|mark|make|fill in',
  keepers: [
    '(whoever|^ person|^ to the person|^ to the one|^ for the person|^ for the one|if you are the one|if you re the one) (who|that)? (is|s|will be)? (types|typing|writes|writing|enters|entering|keys|keying|logs|logging|fills|filling|transcribes|transcribing|inputs|inputting|records|recording|keeps|keeping) (in|up|down|out|to)? (this|these|it)',
    '(whoever|^ person|^ to the person|^ to the one|^ for the person|^ for the one|if you are the one|if you re the one) (who|that)? (is|s|will be)? (types|typing|writes|writing|enters|entering|keys|keying|logs|logging|fills|filling|transcribes|transcribing|inputs|inputting|keeps|keeping) (in|up|down|out)? (the|my|that|our) (report*|record*|form*|entry|entries|call*|ticket*|file*|log|transcript*|datum|data)',
    'whoever (is|s)? (enters|entering|keys|keying) (the)? data',
    '(note|memo|message|reminder|instruction) (to|for) (the|your) (typist|transcriber|transcriptionist|stenographer|record keeper|recorder|database)',
    '^ (to|for) (the|your) (typist|transcriber|transcriptionist|stenographer|record keeper|typing person|person typing)',
  ],
  typists: ['whoever (is|s)? (typing|types|on the keyboard|at the keyboard)'],
  told: [
    '^ (transcriber|transcriptionist|typist|stenographer)',
    '^ (to) (the|your) MACHINE',
    '(tell|inform|instruct) (the|your) MACHINE (that)?',
    '(tell|instruct|ask|order) (the|your) MACHINE (to)',
    '(want|would like) (the|your) (computer|system|software|program|database|algorithm) (to)',
    '(have|make|let) (the|your) (computer|system|software|program|database|algorithm)',
    '(the|your) (computer|software|algorithm|database|ai) (should|must|has to|needs to|ought to)',
  ],
  called: [
    '(hey|hi|hello|ok|okay|dear|alright|listen|mister) (there|up)? MACHINE',
    '^ (the|now|so|please)? MACHINE (please)?',
    '^ for (the|your) MACHINE',
  ],
  orders: [
    'VERB (down|in)? ~ (as|under|next to) (the|my|a|its|this)? FIELD',
    '(put|enter|type|use|write|insert) (down|in)? ~ for (the)? (city|town|location|category|urgency|priority|status)',
    '(set|change|update|make|switch|log|save|store|record|register|fix|choose|list|mark|note) (the|my|this|a)? (caller s|customer s)? FIELD (value|field)? (to|as|is|equals)',
    '(write|put|note|record|save|log|register|type|say|enter|store|remember) (down|in)? that (the|my) FIELD (is|as|should)',
    '(write|put|note|record|save|log|register|type|enter|store) (down|in)? (city|town|location|service|category|urgency|priority|budget|refund|status)',
    '(make|set|put) (the|my) (budget|refund|priority|urgency|category|status)',
  ],
  corrected: ['(the|my) (correct|right|real|true|actual|official|proper) FIELD (is)'],
  stated: [
    '(the|my|a)? (correct|right|real|true|actual|official)? (city|town|location|service|category|urgency|priority|budget|refund|price|status) (is|equals|should be|should say|should read|must be|must say|will be)',
    '(the|caller s|customer s) name (is|must be|should be)',
    '(the|a) (value|entry) (for|of) (the)? FIELD',
    'the FIELD (on|in|of) this (one|call|record)? (is)',
  ],
  alone: [
    '(put|type|write|enter|insert|set|log) ~ (in|into|under) (the)? FIELD (field|box|column|slot)',
    '(in|into|under) (the)? FIELD (field|box|column|slot) (put|type|write|enter|insert|set|log)',
    '(in|into|under) the (field|box|column|slot) for (the)? FIELD (put|type|write|enter|insert|set|log)',
    '^ FIELD field ~~ FIELD field',
    '(save|store|log|enter|record|write|input|set) FIELD ~~ (save|store|log|enter|record|write|input|set) FIELD',
    '(end of) (record|entry|field) ¶',
    '(log|store|record|set) (my|the|this) (city|town|location|service|category|urgency|priority) as ~ (in|into|on) (your|the) (system|records|database|computer|software)',
  ],
};
