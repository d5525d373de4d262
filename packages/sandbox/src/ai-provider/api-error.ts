/** An answer in OpenAI's error form. `param` names the part of the request that is wrong. */
export class ApiError extends Error {
  override readonly name = 'ApiError';
  readonly status: number;
  readonly code: string | null;
  readonly param: string | null;
  /** `Retry-After` in seconds, if the answer has one. */
  readonly retryAfter: number | undefined;

  constructor(
    status: number,
    message: string,
    about: {
      readonly code?: string | undefined;
      readonly param?: string | undefined;
      readonly retryAfter?: number | undefined;
    } = {},
  ) {
    super(message);
    this.status = status;
    this.code = about.code ?? null;
    this.param = about.param ?? null;
    this.retryAfter = about.retryAfter;
  }

  /** The object that both the HTTP answers and the events of a session carry. */
  body(): { message: string; type: string; param: string | null; code: string | null } {
    return { message: this.message, type: typeOf(this.status, this.code), param: this.param, code: this.code };
  }
}

/** The request is wrong: 400. */
export function badRequest(message: string, param?: string, code?: string): ApiError {
  return new ApiError(400, message, { param, code });
}

function typeOf(status: number, code: string | null): string {
  if (status === 429) return code === 'insufficient_quota' ? 'insufficient_quota' : 'rate_limit_error';
  return status >= 500 ? 'server_error' : 'invalid_request_error';
}
