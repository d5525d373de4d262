/** A field of one business, as `docs/adding-a-field.md` shows it. The dialogue `he-renovation` says it: an apartment. */
export const PROPERTY_FIELD = {
  key: 'property_type',
  type: 'enum',
  description: 'סוג הנכס',
  from: 'transcript',
  options: [
    { value: 'apartment', synonyms: ['דירה'] },
    { value: 'house', synonyms: ['בית פרטי'] },
  ],
};
