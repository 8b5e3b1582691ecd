/** Milliseconds after which nothing more is taken to be under way. */
const QUIET = 300;
/** Bytes: more than can be under way. */
const MOST = 16_777_216;

/**
 * Reads and drops what still comes after a last alert, until the peer has ended or is silent: where the transport is a socket,
 * to let it go on unread bytes would reset it, and the reset overtakes the alert. Fulfilled in any case, after `grace`
 * milliseconds or 16 MiB at the latest.
 */
export async function dropRest(
  reader: ReadableStreamDefaultReader<Uint8Array>,
  grace: number,
): Promise<void> {
  const end = Date.now() + grace;
  let dropped = 0;
  for (let left = grace; left > 0 && dropped < MOST; left = end - Date.now()) {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const silence = new Promise<true>((resolve) => {
      timer = setTimeout(() => resolve(true), Math.min(QUIET, left));
    });
    const read = reader.read().then(
      ({ done, value }) => {
        dropped += value?.length ?? 0;
        return done;
      },
      () => true,
    );
    const isOver = await Promise.race([read, silence]);
    clearTimeout(timer);
    if (isOver) return;
  }
}
