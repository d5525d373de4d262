/** What the store refuses to do, in words for the person who asked. Holds no phone number and no secret. */
export class StoreError extends Error {
  override readonly name = 'StoreError';
  readonly code: 'PHONE_TAKEN' | 'DOCUMENT_INVALID' | 'CHANGED_MEANWHILE' | 'SECRET_UNREADABLE';

  constructor(code: StoreError['code'], message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}
