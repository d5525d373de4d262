import { describe, expect, it } from 'vitest';
import { partsOfUrl, withoutEchoes } from './echoes.ts';

const URL_WITH_SECRETS =
  'https://n8n.example.com/webhook/CANARY-8f3a/CANARY%20%D7%A9?token=CANARY%2F77&k=1&CANARY-flag';

describe('B110: a secret in the path or the query of a URL', () => {
  it.each([
    [
      'an error page of Express',
      'Cannot POST /webhook/CANARY-8f3a/CANARY%20%D7%A9?token=CANARY%2F77&amp;k=1&amp;CANARY-flag',
    ],
    [
      'an error page that shows the path alone',
      '<h1>Not Found</h1> /webhook/CANARY-8f3a/CANARY%20%d7%a9 was not found',
    ],
    ['n8n', '{"message":"The requested webhook \\"POST CANARY-8f3a/CANARY ש\\" is not registered."}'],
    ['a list of segments', '["webhook","CANARY-8f3a","CANARY ש"]'],
    ['JSON with escaped slashes', '{"path":"\\/webhook\\/CANARY-8f3a","token":"CANARY\\/77"}'],
    ['a dump of decoded values', 'token: CANARY/77, CANARY-flag: '],
    ['a page in lower case', 'no route for canary-8f3a?token=canary%2f77'],
  ])('is taken out of %s', (_what, text) => {
    const kept = shownOf(text, partsOfUrl(URL_WITH_SECRETS));
    expect(kept).toContain('[removed]');
    expect(kept).not.toMatch(/canary/i);
  });

  it('is taken out as HTML writes it', () => {
    const hidden = partsOfUrl('https://a.example/in?token=%3CCANARY%26%22%27%3E');
    expect(shownOf('bad token &lt;CANARY&amp;&quot;&#39;&gt;!', hidden)).toBe('bad token [removed]!');
  });

  it('leaves the words around it: not the ones that every receiver uses, and none that is short', () => {
    const text = 'The requested webhook "POST CANARY-8f3a" is not registered; webhooks of k 1 may be in';
    const kept = shownOf(text, partsOfUrl(URL_WITH_SECRETS));
    expect(kept).toBe('The requested webhook "POST [removed]" is not registered; webhooks of k 1 may be in');
    expect(shownOf('Cannot POST /', partsOfUrl('https://a.example'))).toBe('Cannot POST /');
  });

  it('that is written with a broken escape is hidden as it is written', () => {
    const hidden = partsOfUrl('https://a.example/in/CANARY-%E0%A4%A?t=CANARY%ZZ');
    expect(shownOf('/in/CANARY-%E0%A4%A and CANARY%ZZ', hidden)).not.toContain('CANARY');
  });
});

it('hides a header value with signs that mean something in a pattern, and the part after its scheme', () => {
  const hidden = ['Bearer a.b*c+(d)|e', '$^{}[]\\x'];
  expect(shownOf('Bearer a.b*c+(d)|e / a.b*c+(d)|e / $^{}[]\\x / aXbcc', hidden)).toBe(
    '[removed] / [removed] / [removed] / aXbcc',
  );
});

function shownOf(text: string, hidden: readonly string[]): string {
  const [before, shown = '', after] = withoutEchoes(['before', text, 'after'], hidden);
  expect([before, after]).toEqual(['before', 'after']);
  return shown;
}
