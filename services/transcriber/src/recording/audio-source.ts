/**
 * Bytes of a recording, read by position so that a call of hours never has to be in memory as a whole. `read` gives the bytes
 * from `position` on, fewer than `length` only at the end; in `into` when that is given, which is as long at least.
 */
export type AudioSource = {
  readonly size: number;
  read(position: number, length: number, into?: Uint8Array): Promise<Uint8Array>;
};
