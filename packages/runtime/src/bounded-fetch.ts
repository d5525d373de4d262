/**
 * `fetch` for clients that read whole answers into memory: an answer of more than `maxBytes` breaks off with a RangeError while
 * it is read, whatever its `Content-Length` says.
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
      if (bytes > maxBytes) controller.error(new RangeError(`an answer of more than ${maxBytes} bytes`));
      else controller.enqueue(chunk);
    },
  });
}
