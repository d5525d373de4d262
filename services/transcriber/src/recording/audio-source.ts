/**
 * Bytes of a recording, read by position so that a call of hours never has to be in memory as a whole. `read` gives the bytes
 * from `position` on, fewer than `length` only at the end.
 */
export type AudioSource = {
  readonly size: number;
  read(position: number, length: number): Promise<Uint8Array>;
};
