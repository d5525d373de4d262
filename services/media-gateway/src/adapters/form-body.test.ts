import { describe, expect, it } from 'vitest';
import { FormError, parseForm } from './form-body.ts';

const parse = (body: string) => parseForm(Buffer.from(body));

describe('a form', () => {
  it('keeps every pair, also of keys that come again', () => {
    expect({ ...parse('a=1&b=%D7%A9+x&a=2&a=1&c=&d') }).toEqual({ a: ['1', '2', '1'], b: 'ש x', c: '', d: '' });
  });

  it('takes any key for a key', () => {
    const form = parse('__proto__=x&constructor=y');
    expect([Object.keys(form), Object.getPrototypeOf(form)]).toEqual([['__proto__', 'constructor'], null]);
  });

  it.each(['a=%E0%A4%A', '%=1', 'a=%ED%A0%80', 'a=%00', 'a=x%0D%0Ay', 'a%07=1'])('refuses %j', (body) => {
    expect(() => parse(body)).toThrow(FormError);
  });

  it('refuses bytes that are no UTF-8, and more pairs than a form has', () => {
    expect(() => parseForm(Buffer.from([0x61, 0x3d, 0xc3, 0x28]))).toThrow(FormError);
    expect(() => parse('a=&'.repeat(513))).toThrow('too many pairs');
  });
});
