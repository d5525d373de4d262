/**
 * How a language denies what comes next: `negations`, words that may stand between (`leads`), and how many of them must. Few on purpose:
 * "the heater does not work in Haifa" denies no Haifa, so a word that is not among the leads ends it. "No" as an answer is no negation.
 */
type Denials = { readonly negations: readonly string[]; readonly leads: string; readonly leastLeads: number };

export const DENIALS: readonly Denials[] = [
  {
    negations: ['not', "isn't", "aren't", "wasn't", "don't", "doesn't", "didn't", 'isnt', 'dont', 'no longer'],
    leads:
      'in at from on to for of the a an my our near live lives living located based calling called named mean meant say said want wants need needs looking',
    leastLeads: 0,
  },
  {
    negations: ['לא', 'ולא', 'שלא', 'אינני', 'אינו', 'אינה'],
    leads:
      'גר גרה גרים גרות נמצא נמצאת נמצאים ביום ליום את רוצה רוצים צריך צריכה צריכים מתכוון מתכוונת אמרתי ברחוב בעיר לעיר יותר של',
    leastLeads: 0,
  },
  {
    negations: ['ليس', 'ليست', 'لست', 'مش', 'مو', 'موش', 'وليس', 'ومش'],
    leads: 'في من على إلى عن ساكن ساكنة موجود موجودة يوم مدينة بحاجة',
    leastLeads: 0,
  },
  {
    negations: ['لا أسكن', 'لا نسكن', 'لا أعيش', 'لا أريد', 'لا أقصد', 'لا أحتاج', 'ما بسكن', 'ما بدي', 'لم أقل'],
    leads: 'في من على إلى عن يوم مدينة',
    leastLeads: 0,
  },
  {
    negations: ['не'],
    leads:
      'в во из на с для про о живу живем нахожусь находимся хочу хотим нужен нужна нужно нужны говорил говорила сказал сказала имею виду город городе',
    leastLeads: 0,
  },
  {
    // English answers "no Haifa", so in Spanish something must stand between.
    negations: ['no', 'ni', 'tampoco'],
    leads: 'en de la el los las es vivo vivimos estoy estamos soy somos quiero queremos necesito necesitamos para dije',
    leastLeads: 1,
  },
];
