import { createTopology } from '@pipeline/messaging';

/** Bytes that each stream and bucket reserves on a NATS server, and their sum, by what a ConfigMap says of their size. */
export function fileStoreOf({ STREAM_REPLICAS, STREAM_MAX_BYTES }: Readonly<Record<string, string>>) {
  const { streams } = createTopology({
    NATS_URL: '',
    NATS_USER: '',
    NATS_PASSWORD: '',
    STREAM_REPLICAS: Number(STREAM_REPLICAS),
    STREAM_MAX_BYTES: Number(STREAM_MAX_BYTES),
    // How long and how many at once reserves nothing.
    STREAM_MAX_AGE_HOURS: 168,
    MAX_ACK_PENDING: 1_000,
    ACK_WAIT_MS: 60_000,
  });
  const each = streams.map(({ config }) => config.max_bytes ?? Number.NaN);
  return { each, reserved: each.reduce((sum, bytes) => sum + bytes, 0) };
}
