/** Letters of the longest phrase that is looked for again and again. */
const LONGEST_PERIOD = 120;
/** Letters of a text that are looked at: half an hour of speech. */
const LOOKED_AT = 20_000;
/** A phrase this often in a row is a loop when it makes up much of the text, people say `no, no, no` too. */
const OFTEN = { times: 4, letters: 24, share: 0.4 };
/** A phrase this often in a row is a loop whatever else is said. */
const VERY_OFTEN = { times: 10, letters: 40 };

/** Whether a text, given as bare letters, is stuck in a loop: recognizers do that on noise. Works without words or a language. */
export function isLoop(letters: string): boolean {
  const text = letters.slice(0, LOOKED_AT);
  for (let period = 1; period <= Math.min(LONGEST_PERIOD, text.length / OFTEN.times); period += 1) {
    const covered = longestRun(text, period);
    const times = covered / period;
    if (times >= OFTEN.times && covered >= OFTEN.letters && covered >= text.length * OFTEN.share) return true;
    if (times >= VERY_OFTEN.times && covered >= VERY_OFTEN.letters) return true;
  }
  return false;
}

/** Letters of the longest stretch in which everything comes again after `period` letters. */
function longestRun(text: string, period: number): number {
  let longest = 0;
  let run = 0;
  for (let at = period; at < text.length; at += 1) {
    run = text[at] === text[at - period] ? run + 1 : 0;
    longest = Math.max(longest, run);
  }
  return longest === 0 ? 0 : longest + period;
}
