/** An answer of a server that is longer than we are ready to hold. Asking again would bring the same. */
export class AnswerTooLargeError extends Error {
  override readonly name = 'AnswerTooLargeError';

  constructor(maxBytes: number) {
    super(`an answer of more than ${maxBytes} bytes`);
  }
}

/**
 * `fetch` for clients that read whole answers into memory: an answer of more than `maxBytes` breaks off with an
 * {@link AnswerTooLargeError} while it is read, unpacked, whatever its `Content-Length` says.
 */
export function createBoundedFetch(maxBytes: number): typeof fetch {
  return async (input, init) => {
    const response = await fetch(input, init);
    if (response.body === null) return response;
    const { status, statusText, headers } = response;
    return new Response(response.body.pipeThrough(createBound(maxBytes)), { status, statusText, headers });
  };
}

function createBound(maxBytes: number): TransformStream<Uint8Array, Uint8Array> {
  let bytes = 0;
  return new TransformStream({
    transform: (chunk, controller) => {
      bytes += chunk.length;
      if (bytes > maxBytes) controller.error(new AnswerTooLargeError(maxBytes));
      else controller.enqueue(chunk);
    },
  });
}
