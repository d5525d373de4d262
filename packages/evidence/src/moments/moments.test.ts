import { describe, expect, test } from 'vitest';
import { isDateSaid } from './said-date.ts';
import { isTimeSaid } from './said-time.ts';

const TUESDAY = '2025-12-09';

describe('a day', () => {
  test.each([
    ['2025-12-10', 'tomorrow'],
    ['2025-12-11', 'the day after tomorrow'],
    ['2025-12-10', 'מחר בבוקר'],
    ['2025-12-11', 'מחרתיים'],
    ['2025-12-14', 'ביום ראשון'],
    ['2025-12-12', 'next Friday'],
    ['2025-12-12', 'الجمعة'],
    ['2025-12-10', 'غدًا'],
    ['2025-12-10', 'el miércoles'],
    ['2025-12-10', 'завтра'],
    ['2025-12-24', 'on the 24th of December'],
    ['2026-01-15', 'the fifteenth of January'],
    ['2025-12-31', 'December thirty-first'],
    ['2026-01-05', '5 בינואר'],
    ['2026-01-05', '5/1'],
    ['2025-12-12', 'in three days'],
    ['2025-12-23', 'in two weeks'],
    ['2025-12-12', 'the 12th'],
    ['1985-03-02', '2.3.1985'],
    ['2025-12-12', 'ב-12 לחודש'],
    ['2025-12-12', '12 числа'],
    ['2025-12-12', 'el día 12'],
    ['2025-12-12', 'يوم 12'],
    ['2025-12-03', '3.12'],
  ])('%s is said by %j', (date, words) => {
    expect(isDateSaid(date, words, TUESDAY)).toBe(true);
  });

  test.each([
    ['2025-12-11', 'tomorrow'],
    ['2025-12-10', 'the day after tomorrow'],
    ['2025-12-15', 'ביום ראשון'],
    ['2025-12-25', 'December 24'],
    ['2025-12-30', '31 December'],
    ['1985-03-02', 'March 2nd'],
    ['2025-12-09', 'as soon as possible'],
    ['2026-12-12', 'the 12th'],
    ['2025-12-03', 'I have 3 kids'],
    ['2025-12-03', 'יש לי שלושה ילדים'],
    ['2025-12-03', 'у меня три комнаты'],
    ['2025-12-03', 'tengo tres habitaciones'],
    ['2025-12-03', 'عندي ثلاث غرف'],
  ])('B65 %s is not said by %j', (date, words) => {
    expect(isDateSaid(date, words, TUESDAY)).toBe(false);
  });
});

describe('a time of day', () => {
  test.each([
    ['17:00', 'at five'],
    ['05:00', 'at five'],
    ['17:00', 'at 5 p.m.'],
    ['09:30', 'half past nine'],
    ['16:45', 'quarter to five'],
    ['17:30', 'בחמש וחצי'],
    ['10:45', 'רבע לאחת עשרה'],
    ['12:00', 'noon'],
    ['14:30', '2:30'],
    ['21:00', 'в 9 вечера'],
    ['09:00', 'الساعة التاسعة صباحا'],
    ['09:20', 'nine twenty'],
    ['09:20', 'at nine twenty'],
    ['15:00', 'בשעה 3'],
    ['15:00', 'a las tres'],
    ['15:00', 'в три'],
    ['15:00', "three o'clock"],
    ['17:00', 'بعد الساعة خمسة'],
  ])('%s is said by %j', (time, words) => {
    expect(isTimeSaid(time, words)).toBe(true);
  });

  test.each([
    ['05:00', 'at 5 pm'],
    ['17:00', '5 a.m.'],
    ['22:00', 'בעשר בבוקר'],
    ['02:30', '14:30'],
    ['11:00', 'at five'],
    ['09:00', 'soon'],
    ['15:00', '3 rooms'],
    ['02:30', '2 rooms and 30 chairs'],
    ['15:00', 'יש לי שלושה חדרים'],
    ['15:00', 'у меня три комнаты'],
    ['15:00', 'tengo tres habitaciones'],
    ['15:00', 'عندي ثلاث غرف'],
  ])('B65 %s is not said by %j', (time, words) => {
    expect(isTimeSaid(time, words)).toBe(false);
  });
});
