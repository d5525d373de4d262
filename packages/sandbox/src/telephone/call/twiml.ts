/** What a telephone can be told to do. Other verbs are refused: a gateway that sends one has to learn of it here. */
export type TwimlVerb =
  | { readonly kind: 'record'; readonly channels: 1 | 2 }
  | { readonly kind: 'stream'; readonly url: string; readonly parameters: Readonly<Record<string, string>> }
  | { readonly kind: 'say'; readonly text: string }
  | { readonly kind: 'redirect'; readonly url: string }
  | { readonly kind: 'hang_up' }
  | { readonly kind: 'reject'; readonly reason: 'rejected' | 'busy' };

/** Why an answer is no TwiML that a telephone follows. */
export class TwimlError extends Error {
  override readonly name = 'TwimlError';
}

/**
 * Reads an answer to a voice webhook: `Start/Recording`, `Connect/Stream` with `Parameter`, `Say`, `Redirect`, `Hangup`, `Reject`, with
 * Twilio's rules for them. Throws {@link TwimlError} for anything else.
 */
export function parseTwiml(xml: string): TwimlVerb[] {
  const root = parseXml(xml);
  if (root.name !== 'Response') throw new TwimlError(`the root is <${root.name}>, not <Response>`);
  noText(root);
  return root.children.map(verbOf);
}

/** The name and the value of a parameter together stay below this (Twilio's rule). */
const MAX_PARAMETER_CHARACTERS = 500;
/** Longest text of one `<Say>` (Twilio's rule). */
const MAX_SAY_CHARACTERS = 4_096;

type XmlElement = {
  readonly name: string;
  readonly attributes: Readonly<Record<string, string>>;
  readonly children: XmlElement[];
  text: string;
};

function verbOf(element: XmlElement): TwimlVerb {
  switch (element.name) {
    case 'Start':
      return recordOf(onlyChild(element, 'Recording'));
    case 'Connect':
      if (element.attributes['action'] !== undefined) throw new TwimlError('<Connect action> is not followed here');
      return streamOf(onlyChild(element, 'Stream'));
    case 'Say':
      if (element.children.length > 0) throw new TwimlError('<Say> with markup inside is not followed here');
      if (element.text.length > MAX_SAY_CHARACTERS) throw new TwimlError('<Say> is too long');
      return { kind: 'say', text: element.text.trim() };
    case 'Redirect':
      return redirectOf(element);
    case 'Hangup':
      return { kind: 'hang_up' };
    case 'Reject':
      return { kind: 'reject', reason: oneOf(element, 'reason', ['rejected', 'busy']) };
    default:
      throw new TwimlError(`<${element.name}> is not followed here`);
  }
}

function redirectOf({ attributes, children, text }: XmlElement): TwimlVerb {
  const url = text.trim();
  if (children.length > 0 || !/^https?:/.test(url) || !URL.canParse(url))
    throw new TwimlError('<Redirect> needs an absolute URL here');
  if ((attributes['method'] ?? 'POST') !== 'POST') throw new TwimlError('<Redirect> is followed by POST only');
  return { kind: 'redirect', url };
}

function recordOf(recording: XmlElement): TwimlVerb {
  return { kind: 'record', channels: oneOf(recording, 'channels', ['mono', 'dual']) === 'dual' ? 2 : 1 };
}

function streamOf(stream: XmlElement): TwimlVerb {
  const { url } = stream.attributes;
  if (url === undefined || !URL.canParse(url)) throw new TwimlError('<Stream> without a valid url (31923)');
  const { protocol, search } = new URL(url);
  if (protocol !== 'wss:') throw new TwimlError('the url of a <Stream> must be wss');
  if (search !== '') throw new TwimlError('the url of a <Stream> must not have a query');
  const parameters: Record<string, string> = {};
  for (const child of stream.children) {
    const { name, value } = child.attributes;
    if (child.name !== 'Parameter' || name === undefined || value === undefined) {
      throw new TwimlError('<Stream> holds <Parameter name value> and nothing else');
    }
    if (name.length + value.length >= MAX_PARAMETER_CHARACTERS)
      throw new TwimlError(`the parameter ${name} is too long`);
    parameters[name] = value;
  }
  return { kind: 'stream', url, parameters };
}

function onlyChild(element: XmlElement, name: string): XmlElement {
  noText(element);
  const [child, ...more] = element.children;
  if (child === undefined || child.name !== name || more.length > 0) {
    throw new TwimlError(`<${element.name}> needs exactly one <${name}> here`);
  }
  return child;
}

function noText(element: XmlElement): void {
  if (element.text.trim() !== '') throw new TwimlError(`text inside <${element.name}>`);
}

/** The attribute's value, the first of `values` when it is absent. */
function oneOf<const V extends string>(element: XmlElement, name: string, values: readonly [V, ...V[]]): V {
  const value = element.attributes[name];
  if (value === undefined) return values[0];
  const known = values.find((candidate) => candidate === value);
  if (known === undefined) throw new TwimlError(`<${element.name} ${name}="${value}">`);
  return known;
}

const TOKEN =
  /<\?xml[^>]*\?>|<!--[\s\S]*?-->|<(\/?)([A-Za-z]+)((?:\s+[A-Za-z:]+=(?:"[^"<]*"|'[^'<]*'))*)\s*(\/?)>|([^<]+)/y;
const ATTRIBUTE = /([A-Za-z:]+)=(?:"([^"]*)"|'([^']*)')/g;

/** A small reader of well-formed XML without namespaces, CDATA or entities of its own. */
function parseXml(xml: string): XmlElement {
  const top: XmlElement = { name: '', attributes: {}, children: [], text: '' };
  const open = [top];
  TOKEN.lastIndex = 0;
  while (TOKEN.lastIndex < xml.length) {
    const at = TOKEN.lastIndex;
    const token = TOKEN.exec(xml);
    if (token === null) throw new TwimlError(`no well-formed XML at character ${at}`);
    take(token, open);
  }
  const [root, ...more] = top.children;
  if (open.length > 1) throw new TwimlError(`<${open.at(-1)?.name}> is not closed`);
  if (root === undefined || more.length > 0 || top.text.trim() !== '') throw new TwimlError('not one root element');
  return root;
}

function take(token: RegExpExecArray, open: XmlElement[]): void {
  const [, slash, name, attributes = '', selfClosing, text] = token;
  const parent = open.at(-1);
  if (parent === undefined) return;
  if (text !== undefined) parent.text += decoded(text);
  if (name === undefined) return;
  if (slash === '/') {
    if (open.length === 1 || parent.name !== name) throw new TwimlError(`</${name}> closes nothing`);
    open.pop();
    return;
  }
  const pairs = [...attributes.matchAll(ATTRIBUTE)].map(
    ([, key = '', double, single]) => [key, decoded(double ?? single ?? '')] as const,
  );
  const element: XmlElement = { name, attributes: Object.fromEntries(pairs), children: [], text: '' };
  parent.children.push(element);
  if (selfClosing !== '/') open.push(element);
}

const ENTITIES: Readonly<Record<string, string>> = { lt: '<', gt: '>', amp: '&', quot: '"', apos: "'" };

function decoded(text: string): string {
  return text.replace(/&(#x[0-9a-fA-F]{1,6}|#[0-9]{1,7}|[A-Za-z]*);?/g, (whole, name: string) => {
    if (!whole.endsWith(';')) throw new TwimlError('a bare & in XML');
    const code = name.startsWith('#x') ? Number.parseInt(name.slice(2), 16) : Number(name.slice(1));
    const character = name.startsWith('#') && code <= 0x10_ff_ff ? String.fromCodePoint(code) : ENTITIES[name];
    if (character === undefined) throw new TwimlError(`unknown entity ${whole}`);
    return character;
  });
}
